package dev.caskwright.api;

/**
 * A store that is not open: its files, and what can be done with them. Making one touches nothing; each call of a facet
 * reads or locks what it needs and gives it back. Of a store that another process has open for writing, each call says so.
 */
public interface StoreAtRest extends FacetHolder {}
