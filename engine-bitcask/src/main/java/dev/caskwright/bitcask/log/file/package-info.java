/**
 * The files of a log: data files and the slots that locators name them by, the manifest that lists them, how files get
 * their numbers, are made, and are deleted. Begin with {@code DataFile} and {@code Manifest}. Records are not looked at here.
 */
@NullMarked
package dev.caskwright.bitcask.log.file;

import org.jspecify.annotations.NullMarked;
