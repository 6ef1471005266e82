/**
 * The log as a whole: the row of data files of which the last is appended to, how they are sealed, and how they are found
 * again. {@code SegmentedLog} joins the parts that the packages before this one have; {@code LogOpening} is how it comes to be.
 */
@NullMarked
package dev.caskwright.bitcask.log.segmented;

import org.jspecify.annotations.NullMarked;
