package dev.caskwright.bitcask.events;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;

/** What all events of stores tell. No key and no value is told: recordings are passed around. */
@Category("Caskwright")
abstract class StoreEvent extends Event {
    @Label("Store")
    @Description("The directory of the store")
    protected String store = "";
}
