package dev.caskwright.infinispan;

/** Is told of writes that a store refused: Infinispan itself goes on if that was an entry that another node gave. */
@FunctionalInterface
public interface FailedWrites {
    /** Called before whoever asked for the write is told, by any thread; must be short and throw nothing. */
    void failed(Throwable problem);
}
