/**
 * Histories of what concurrent clients of a key-value store did and were told, and a judge of whether some order of their
 * operations explains all answers.
 */
@NullMarked
package dev.caskwright.testkit.history;

import org.jspecify.annotations.NullMarked;
