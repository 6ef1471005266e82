/** Reads what other stores keep, to be imported. */
module dev.caskwright.importer {
    requires static transitive org.jspecify;

    exports dev.caskwright.importer;

    uses dev.caskwright.importer.ForeignFormat;
}
