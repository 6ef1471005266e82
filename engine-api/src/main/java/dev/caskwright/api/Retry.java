package dev.caskwright.api;

/**
 * Background work that failed before it changed anything, or that the executor refused, and that is tried again.
 *
 * @param task what it is
 * @param millis for how long it has been failing, in milliseconds
 * @param failures how often it has failed in that time
 * @param cause why it failed the last time
 */
public record Retry(String task, long millis, int failures, Throwable cause) {}
