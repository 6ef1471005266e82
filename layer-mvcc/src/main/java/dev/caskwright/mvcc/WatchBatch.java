package dev.caskwright.mvcc;

import java.util.List;

/**
 * Events of a watch, in their order.
 *
 * @param events all events of each revision that there are any of; may be empty
 * @param revision up to which the watch has told everything: a watch from the next one on continues this one
 */
public record WatchBatch(List<Event> events, long revision) {}
