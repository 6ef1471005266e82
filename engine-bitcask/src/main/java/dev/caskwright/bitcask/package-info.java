/**
 * The engine and its builder, and what opens a store and closes it. This is the only package that users see; it joins the
 * parts that the packages below it hold. Those have an order, in which a record lives: the {@code log} keeps it,
 * {@code replay} finds it when a store is opened, {@code store} holds what all parts share, and {@code read}, {@code write},
 * {@code merge} and {@code copy} are what is done with it. None of them reaches up, and none reaches here.
 */
@NullMarked
package dev.caskwright.bitcask;

import org.jspecify.annotations.NullMarked;
