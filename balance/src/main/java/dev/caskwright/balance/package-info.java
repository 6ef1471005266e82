/**
 * Spreads requests over servers. A {@link dev.caskwright.balance.LoadBalancer} picks an endpoint of a {@link
 * dev.caskwright.balance.ServiceList} by a {@link dev.caskwright.balance.Strategy}, and leaves out those that fail ({@link
 * dev.caskwright.balance.OutlierFilter}). A {@link dev.caskwright.balance.Discovery} says which endpoints there are.
 */
@NullMarked
package dev.caskwright.balance;

import org.jspecify.annotations.NullMarked;
