//! Colours and fonts, for light and for dark surroundings.

use std::fmt::Write as _;

use super::super::kind::{Colours, Kind};

const COMMON: &str = "\
.wf-title{font:600 18px system-ui,-apple-system,'Segoe UI','Noto Sans','Noto Sans CJK SC',sans-serif}
.wf-name{font:600 13px ui-monospace,'SF Mono',Menlo,Consolas,'DejaVu Sans Mono','Noto Sans Mono CJK SC',monospace;text-anchor:middle}
.wf-about{font:11px system-ui,-apple-system,'Segoe UI','Noto Sans','Noto Sans CJK SC',sans-serif;text-anchor:middle;opacity:.85}
.wf-legend{font:12px system-ui,-apple-system,'Segoe UI','Noto Sans','Noto Sans CJK SC',sans-serif}
.wf-pill text{font:600 10px system-ui,-apple-system,'Segoe UI','Noto Sans','Noto Sans CJK SC',sans-serif}
.wf-wire{fill:none;stroke-width:1.6}
.wf-cycle{stroke-dasharray:5 4}
.wf-shape{stroke-width:1.5;stroke-linejoin:round}
.wf-inside{fill:none;stroke-width:1.2;stroke-linejoin:round;opacity:.7}
.wf-other .wf-shape{stroke-dasharray:5 3}
.wf-pill rect{stroke-width:1}
";

struct Surroundings {
    back: &'static str,
    text: &'static str,
    muted: &'static str,
    wire: &'static str,
    cycle: &'static str,
    started: &'static str,
    changing: &'static str,
    stopped: &'static str,
    ready: &'static str,
    unclear: &'static str,
}

const LIGHT: Surroundings = Surroundings {
    back: "#ffffff",
    text: "#1b2129",
    muted: "#57606c",
    wire: "#9aa5b3",
    cycle: "#cf3f3f",
    started: "#1a7f37",
    changing: "#9a6700",
    stopped: "#6b7480",
    ready: "#2f6fc4",
    unclear: "#a13d97",
};

const DARK: Surroundings = Surroundings {
    back: "#0f141b",
    text: "#e8ecf1",
    muted: "#9da7b3",
    wire: "#566171",
    cycle: "#f07070",
    started: "#4fc26b",
    changing: "#e0ac3f",
    stopped: "#939dab",
    ready: "#6aa6f0",
    unclear: "#dc85d2",
};

/// The style sheet for a picture with nodes of these kinds.
pub(super) fn sheet(kinds: &[Kind]) -> String {
    let mut out = COMMON.to_owned();
    rules(&mut out, &LIGHT, kinds, Kind::light);
    out.push_str("@media (prefers-color-scheme:dark){\n");
    rules(&mut out, &DARK, kinds, Kind::dark);
    out.push_str("}\n");
    out
}

fn rules(out: &mut String, around: &Surroundings, kinds: &[Kind], colours: fn(Kind) -> Colours) {
    let Surroundings {
        back,
        text,
        muted,
        wire,
        cycle,
        ..
    } = around;
    // Writing to a string cannot fail.
    let _ = writeln!(
        out,
        ".wf-back{{fill:{back}}}.wf-title{{fill:{text}}}.wf-wire{{stroke:{wire}}}.wf-tip{{fill:{wire}}}.wf-cycle{{stroke:{cycle}}}.wf-end{{fill:{cycle}}}"
    );
    for kind in kinds {
        let (word, Colours { fill, line, text }) = (kind.word(), colours(*kind));
        let _ = writeln!(
            out,
            ".wf-{word} .wf-shape{{fill:{fill};stroke:{line}}}.wf-{word} .wf-inside{{stroke:{line}}}.wf-{word} text{{fill:{text}}}"
        );
    }
    // Behind the types, whose rules would colour these texts otherwise.
    let _ = writeln!(out, "g text.wf-legend{{fill:{muted}}}");
    for (class, colour) in [
        ("started", around.started),
        ("changing", around.changing),
        ("stopped", around.stopped),
        ("ready", around.ready),
        ("unclear", around.unclear),
    ] {
        let _ = writeln!(
            out,
            ".wf-{class} rect{{fill:{back};stroke:{colour}}}.wf-{class} circle{{fill:{colour}}}.wf-pill.wf-{class} text{{fill:{colour}}}"
        );
    }
}
