package dev.caskwright.benchmarks;

/** The look of charts and page: colours for light and dark, and rules. */
final class Style {
    private static final String LIGHT = """
            --page:#ffffff;--panel:#f8fafc;--text:#0f172a;--soft:#64748b;--rule:#e2e8f0;--ours:#0d9488;--ours-text:#0f766e;
            --peer:#a3b1c6;--limit:#94a3b8;--good:#15803d;--good-soft:#dcfce7;--bad:#b45309;--bad-soft:#fef3c7;
            --p0:#64748b;--p1:#c2740c;--p2:#7c5cbf;--p3:#be185d;--p4:#2563eb;--p5:#65780f;
            """;

    private static final String DARK = """
            --page:#0d1117;--panel:#151b23;--text:#e6edf3;--soft:#91a0b3;--rule:#2b3442;--ours:#2dd4bf;--ours-text:#5eead4;
            --peer:#56657a;--limit:#6b7a90;--good:#4ade80;--good-soft:#12301f;--bad:#fbbf24;--bad-soft:#3a2c0b;
            --p0:#94a3b8;--p1:#f0a04b;--p2:#b39ddb;--p3:#f472b6;--p4:#7ab0ff;--p5:#b7c95a;
            """;

    /** Rules of everything within a chart. */
    static final String CHART = """
            text{font-family:system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif;fill:var(--text)}
            .title{font-size:15px;font-weight:600}.note{font-size:11px;fill:var(--soft)}
            .label{font-size:12px}.label.ours{font-weight:650;fill:var(--ours-text)}.label.limit{fill:var(--soft);font-style:italic}
            .tag{font-size:8.5px;font-weight:400;font-style:normal;fill:var(--soft);letter-spacing:.03em}
            .value{font-size:12px;font-variant-numeric:tabular-nums}.value.ours{font-weight:650}.value.limit{fill:var(--soft)}
            .axis{font-size:10.5px;fill:var(--soft)}
            rect.ours{fill:var(--ours)}rect.peer{fill:var(--peer)}
            rect.limit{fill:none;stroke:var(--limit);stroke-dasharray:3 2}
            rect.page{fill:var(--page)}
            .spread{stroke:var(--text);stroke-width:1;opacity:.55;fill:none}
            .cut{stroke:var(--page);stroke-width:3;fill:none}
            .grid{stroke:var(--rule);stroke-width:1;fill:none}.leader{stroke:var(--rule);fill:none}
            .line{fill:none;stroke-width:1.6}.line.ours{stroke:var(--ours);stroke-width:3}.dot.ours{fill:var(--ours)}
            .line.limit{stroke:var(--limit);stroke-dasharray:3 3}.dot.limit{fill:var(--limit)}
            .line.p0{stroke:var(--p0)}.line.p1{stroke:var(--p1)}.line.p2{stroke:var(--p2)}
            .line.p3{stroke:var(--p3)}.line.p4{stroke:var(--p4)}.line.p5{stroke:var(--p5)}
            .dot.p0,.label.p0{fill:var(--p0)}.dot.p1,.label.p1{fill:var(--p1)}.dot.p2,.label.p2{fill:var(--p2)}
            .dot.p3,.label.p3{fill:var(--p3)}.dot.p4,.label.p4{fill:var(--p4)}.dot.p5,.label.p5{fill:var(--p5)}
            """;

    /** Rules of the page around the charts. */
    static final String PAGE = """
            *{box-sizing:border-box}
            body{margin:0;background:var(--page);color:var(--text);line-height:1.5;
            font-family:system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif}
            main{max-width:1240px;margin:0 auto;padding:32px 24px 64px}
            h1{font-size:30px;margin:0 0 4px;letter-spacing:-.02em}h2{font-size:21px;margin:44px 0 6px;letter-spacing:-.01em}
            p{margin:6px 0;max-width:76ch}.soft,small{color:var(--soft)}
            .tiles{display:grid;gap:14px;grid-template-columns:repeat(auto-fit,minmax(215px,1fr));margin:22px 0}
            .tile,.chart{background:var(--panel);border:1px solid var(--rule);border-radius:10px;padding:16px 18px}
            .tile b{display:block;font-size:27px;line-height:1.25;color:var(--ours-text);letter-spacing:-.02em}
            .charts{display:grid;gap:18px;grid-template-columns:repeat(auto-fill,minmax(min(100%,540px),1fr));margin-top:14px}
            .chart svg{display:block;width:100%;height:auto}.panelled .cut{stroke:var(--panel)}
            .scroll{overflow-x:auto}table{border-collapse:collapse;font-size:14px;width:100%}
            th,td{text-align:left;padding:7px 12px 7px 0;border-bottom:1px solid var(--rule);vertical-align:top}
            th{color:var(--soft);font-weight:500}td.number,th.number{text-align:right;font-variant-numeric:tabular-nums}
            .verdict{border-radius:99px;padding:2px 10px;font-size:12.5px;white-space:nowrap;color:var(--soft);
            border:1px solid var(--rule)}
            .verdict.reached{color:var(--good);background:var(--good-soft);border-color:transparent}
            .verdict.not_reached{color:var(--bad);background:var(--bad-soft);border-color:transparent}
            .legend{display:flex;flex-wrap:wrap;gap:6px 20px;font-size:13px;color:var(--soft);margin:10px 0 0}
            .legend i{display:inline-block;width:22px;height:11px;border-radius:2px;margin-right:7px;vertical-align:-1px}
            .i-ours{background:var(--ours)}.i-peer{background:var(--peer)}.i-limit{border:1px dashed var(--limit)}
            dl{display:grid;grid-template-columns:max-content 1fr;gap:3px 18px;font-size:14px;margin:8px 0}
            dt{color:var(--soft)}dd{margin:0}details{margin-top:14px}summary{cursor:pointer;color:var(--soft)}
            code{font-family:ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace;font-size:.92em}
            """;

    private Style() {}

    /** Returns the colours, which follow the reader's preference for light or dark. */
    static String colours(String selector) {
        return selector + "{" + LIGHT + "}\n@media(prefers-color-scheme:dark){" + selector + "{" + DARK + "}}\n";
    }
}
