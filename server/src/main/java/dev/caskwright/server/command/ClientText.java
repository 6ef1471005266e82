package dev.caskwright.server.command;

/** One line about a client, as CLIENT LIST has it. */
final class ClientText {
    private static final long MILLIS_PER_SECOND = 1000;

    private ClientText() {}

    static String of(Session session, long nowMillis) {
        Command last = session.lastCommand();
        var queue = session.queue();
        return "id=" + session.id()
                + " addr=" + session.link().remoteAddress()
                + " laddr=" + session.link().localAddress()
                + " fd=-1"
                + " name=" + session.name()
                + " age=" + seconds(nowMillis - session.connectedMillis())
                + " idle=" + seconds(nowMillis - session.lastActiveMillis())
                + " flags=" + flags(session)
                + " db=" + session.database()
                + " sub=" + session.channels().size()
                + " psub=" + session.patterns().size()
                + " ssub=0"
                + " multi=" + (queue == null ? -1 : queue.size())
                + " watch=" + session.watches().size()
                + " qbuf=" + session.link().inputBytes()
                + " qbuf-free=0"
                + " argv-mem=0"
                + " multi-mem=" + session.queuedBytes()
                + " obl=0 oll=0"
                + " omem=" + session.link().outputBytes()
                + " tot-mem=" + (session.link().inputBytes() + session.link().outputBytes() + session.queuedBytes())
                + " events=r"
                + " cmd=" + (last == null ? "NULL" : last.fullName())
                + " user=" + session.user().name()
                + " redir=-1"
                + " resp=" + session.protocol()
                + " lib-name=" + session.libraryName()
                + " lib-ver=" + session.libraryVersion()
                + " tot-cmds=" + session.commands();
    }

    private static String flags(Session session) {
        StringBuilder flags = new StringBuilder();
        flags.append(session.isMonitor() ? "O" : "");
        flags.append(session.subscriptions() > 0 ? "P" : "");
        flags.append(session.queue() != null ? "x" : "");
        flags.append(session.isNoEvict() ? "e" : "");
        flags.append(session.isNoTouch() ? "T" : "");
        return flags.length() == 0 ? "N" : flags.toString();
    }

    private static long seconds(long millis) {
        return Math.max(0, millis / MILLIS_PER_SECOND);
    }
}
