package dev.caskwright.balance;

/** No endpoint can take a request: there is none, or all are drained. */
public final class NoEndpointException extends IllegalStateException {
    private static final long serialVersionUID = 1L;

    NoEndpointException(ServiceList list) {
        super(
                list.size() == 0
                        ? "no endpoint: the service list is empty"
                        : "no endpoint takes requests: all " + list.size() + " have weight 0");
    }
}
