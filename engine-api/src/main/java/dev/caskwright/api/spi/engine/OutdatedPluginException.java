package dev.caskwright.api.spi.engine;

import org.jspecify.annotations.Nullable;

/** A plug-in was built against another version of the interface that it implements. Nothing was changed. */
public final class OutdatedPluginException extends IllegalStateException {
    private static final long serialVersionUID = 1L;

    public OutdatedPluginException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
