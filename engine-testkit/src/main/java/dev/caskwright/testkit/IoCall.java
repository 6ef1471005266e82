package dev.caskwright.testkit;

/**
 * One call that reached an IO manager.
 *
 * @param number its place among the calls counted, from 0
 * @param file the file's name, or empty for a call on the directory
 * @param target the new name of a rename, otherwise empty
 * @param offset where in the file, in bytes; 0 where that means nothing
 * @param length how many bytes, or the new length of a truncation or reservation; 0 where that means nothing
 */
public record IoCall(long number, IoOperation operation, String file, String target, long offset, long length) {
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder("#").append(number).append(' ').append(operation);
        if (!file.isEmpty()) {
            text.append(' ').append(file);
        }
        if (!target.isEmpty()) {
            text.append(" -> ").append(target);
        }
        if (offset != 0 || length != 0) {
            text.append(" offset=").append(offset).append(", length=").append(length);
        }
        return text.toString();
    }
}
