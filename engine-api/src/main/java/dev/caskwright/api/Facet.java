package dev.caskwright.api;

/**
 * An ability that some stores have and others do not. A facet is an interface; whoever has the ability <em>holds</em> the
 * facet, and hands it out with {@link FacetHolder#facet}. None of its methods may answer that the ability is missing.
 *
 * <p>The facets of this package: {@link ConditionalWrites}, {@link Versions}, {@link Transactions}, {@link Expiry}, {@link
 * OrderedView}, {@link ChangeFeed}, {@link Merging}, {@link Backups}, {@link Restoring}, {@link Integrity}, {@link
 * Salvaging}, {@link Spaces}. An engine may define others of its own.
 */
public interface Facet {}
