/** Contract tests that prove a plug-in: extend the abstract class of its kind and supply a factory method. */
@NullMarked
package dev.caskwright.testkit;

import org.jspecify.annotations.NullMarked;
