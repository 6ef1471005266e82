/** Spreads requests over servers. */
module dev.caskwright.balance {
    requires static transitive org.jspecify;

    exports dev.caskwright.balance;
}
