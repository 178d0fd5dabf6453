//! The report as one page of HTML, without scripts and without files of fonts or images.

use std::fmt::Write as _;

use super::budgets::format::duration;
use super::budgets::limits::LATENCY;
use super::budgets::memory::MemoryRecord;
use super::budgets::tally::{CLASSES, Named, Tally, class_index};
use gstgaze::core::latency::LatencyHistogram;
use gstgaze::core::monitor::ZoneMap;

use super::document::{Budget, Report};
use super::plots::svg::escape;
use super::plots::{gaze, heat, latency, memory};
use super::process::ProcessUsage;

const STYLE: &str = include_str!("style.css");

/// The names of the zone classes, by [`class_index`].
const CLASS_NAMES: [&str; CLASSES] =
    ["forward", "mirror", "cluster", "non-driving", "phone, basic", "phone, advanced", "no zone"];

/// The report and the data of its plots.
pub struct Page<'a> {
    pub report: &'a Report,
    pub tally: &'a Tally,
    pub zones: Option<&'a ZoneMap>,
    pub memory: Option<&'a MemoryRecord>,
    pub usage: Option<&'a ProcessUsage>,
}

impl Page<'_> {
    /// The page. Every tag is closed, so that the page is well-formed XML as well.
    pub fn html(&self) -> String {
        let mut page = String::with_capacity(1 << 18);
        page.push_str(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; \
             style-src 'unsafe-inline'\"/>\n<title>Gaze report</title>\n",
        );
        let _ = writeln!(page, "<style>\n{STYLE}</style>\n</head>\n<body>\n<main>");
        self.head(&mut page);
        self.budgets(&mut page);
        self.gaze(&mut page);
        self.latency(&mut page);
        self.memory(&mut page);
        self.details(&mut page);
        page.push_str("</main>\n</body>\n</html>\n");
        page
    }

    fn head(&self, page: &mut String) {
        let Report { input, passed, budgets, made, .. } = self.report;
        let count = |verdict: &str| budgets.iter().filter(|b| b.verdict == verdict).count();
        let (failed, unknown) = (count("fail"), count("not measured"));
        let (class, text) = if *passed {
            ("pass", format!("no budget failed, {unknown} not measured"))
        } else {
            ("fail", format!("{failed} failed, {unknown} not measured"))
        };
        let what = match input.kind {
            "recording" => "Recording",
            "video" => "Video, played at its own speed",
            "every-frame" => "Video, every frame",
            _ => "Live source",
        };
        let names = input.names.join(", ");
        let _ = writeln!(
            page,
            "<header>\n<h1>Gaze report <span class=\"badge {class}\">{text}</span></h1>\n\
             <p>{what}: <b>{}</b></p>\n<p class=\"soft\">{}. Made {made} by gazetool {}.</p>\n\
             </header>",
            escape(&names),
            escape(&self.report.summary()),
            env!("CARGO_PKG_VERSION"),
        );
    }

    fn budgets(&self, page: &mut String) {
        page.push_str(
            "<section>\n<h2>Project budgets</h2>\n<table class=\"verdicts\">\n<thead><tr>\
             <th>Budget</th><th>Limit</th><th>BudgetVerdict</th><th>Measured</th></tr></thead>\n\
             <tbody>\n",
        );
        for Budget { title, budget, verdict, measured, note, .. } in &self.report.budgets {
            let class = match *verdict {
                "pass" => "pass",
                "fail" => "fail",
                _ => "none",
            };
            let _ = writeln!(
                page,
                "<tr><td>{}</td><td>{}</td><td><span class=\"badge {class}\">{verdict}</span></td>\
                 <td><span class=\"measured\">{}</span><span class=\"note\">{}</span></td></tr>",
                escape(title),
                escape(budget),
                escape(measured),
                escape(note),
            );
        }
        page.push_str(
            "</tbody>\n</table>\n<p class=\"small soft\">These are this project\u{2019}s budgets. \
             None of them is a clause of Euro NCAP, of (EU) 2023/2590 or of UN R171, and this report \
             is no assessment under these. <q>Not measured</q> neither passes nor fails.</p>\n\
             </section>\n",
        );
    }

    fn gaze(&self, page: &mut String) {
        let (gaze, of_road) = self.tally.gaze();
        page.push_str("<section>\n<h2>Gaze over time</h2>\n");
        if gaze.heat.total() == 0 {
            page.push_str("<p class=\"soft\">The lines have no gaze.</p>\n</section>\n");
            return;
        }
        if !of_road {
            page.push_str(
                "<p class=\"soft small\">In camera coordinates, of frames with one face: gazemonitor \
                 did not run, or did not know the road ahead.</p>\n",
            );
        }
        let spans = self.tally.spans();
        let length = u64::try_from(self.tally.time.length().as_nanos()).unwrap_or(u64::MAX);
        let plot = gaze::draw(gaze, spans, length, of_road);
        let _ = writeln!(page, "<figure>\n{plot}</figure>");
        if of_road {
            self.class_legend(page);
        }
        page.push_str("</section>\n<section>\n<h2>Where the gaze went</h2>\n");
        let zones = self.zones.filter(|_| of_road);
        let _ = writeln!(page, "<figure>\n{}</figure>", heat::draw(&gaze.heat, zones, of_road));
        let mut text =
            "Cells of two degrees; a stronger shade is more gaze, on a logarithmic scale."
                .to_owned();
        if gaze.heat.outside() > 0 {
            let _ = write!(text, " {} gazes lie outside the map.", gaze.heat.outside());
        }
        if of_road && zones.is_none() {
            text += " --zones draws the outlines of the zones.";
        }
        let _ = writeln!(page, "<p class=\"soft small\">{text}</p>");
        if of_road {
            self.zone_list(page, zones);
        }
        page.push_str("</section>\n");
    }

    fn class_legend(&self, page: &mut String) {
        let mut frames = [0u64; CLASSES];
        let zones = self.tally.zones();
        for Named { class, frames: more, .. } in zones {
            frames[class_index(*class)] += more;
        }
        let settled: u64 = frames.iter().sum();
        frames[class_index(None)] += self.tally.judged().saturating_sub(settled);
        page.push_str("<ul class=\"legend\">\n");
        for (class, frames) in frames.iter().enumerate().filter(|(_, frames)| **frames > 0) {
            let share = *frames as f64 / self.tally.judged().max(1) as f64 * 100.0;
            let _ = writeln!(
                page,
                "<li><span class=\"swatch class{class}\"></span>{} {share:.1} %</li>",
                CLASS_NAMES[class]
            );
        }
        if !self.tally.spans().is_empty() {
            page.push_str("<li><span class=\"swatch alarm\"></span>alarm</li>\n");
        }
        page.push_str("</ul>\n");
    }

    /// Every zone with its share of the frames in which the gaze settled there, numbered as in the plot;
    /// without a plot of zones, those that the gaze settled in.
    fn zone_list(&self, page: &mut String, zones: Option<&ZoneMap>) {
        let all = self.tally.judged().max(1) as f64;
        let item = |page: &mut String, number: String, name: &str, class: usize, frames: u64| {
            let share = match frames {
                0 => String::new(),
                _ => format!(" {:.1} %", frames as f64 / all * 100.0),
            };
            let _ = writeln!(
                page,
                "<li><b>{number}</b><span class=\"swatch class{class}\"></span>{}{share}</li>",
                escape(name)
            );
        };
        page.push_str("<ul class=\"zones\">\n");
        let mut left: Vec<&Named> = self.tally.zones().iter().collect();
        for (index, zone) in zones.iter().flat_map(|map| &map.zones).enumerate() {
            let found = left.iter().position(|named| *named.name == *zone.name);
            let frames = found.map_or(0, |found| left.swap_remove(found).frames);
            let class = class_index(Some(zone.class));
            item(page, (index + 1).to_string(), &zone.name, class, frames);
        }
        left.sort_by(|a, b| b.frames.cmp(&a.frames).then_with(|| a.name.cmp(&b.name)));
        for named in left {
            item(page, String::new(), &named.name, class_index(named.class), named.frames);
        }
        page.push_str("</ul>\n");
    }

    fn latency(&self, page: &mut String) {
        let (capture, inference) = (&self.tally.capture, &self.tally.inference);
        let (title, histogram) = match (capture.count(), inference.count()) {
            (0, 0) => return,
            (0, _) => ("Latency, pixels to the last angle", inference),
            _ => ("Latency, capture to metadata", capture),
        };
        let plot = latency::draw(histogram, LATENCY);
        let _ =
            writeln!(page, "<section>\n<h2>{title}</h2>\n<figure>\n{plot}</figure>\n</section>");
    }

    fn memory(&self, page: &mut String) {
        let Some(memory) = self.memory.filter(|memory| memory.last().is_some()) else { return };
        let plot = memory::draw(memory);
        let _ = writeln!(
            page,
            "<section>\n<h2>Memory of the process</h2>\n<figure>\n{plot}</figure>\n</section>"
        );
    }

    fn details(&self, page: &mut String) {
        page.push_str("<section>\n<h2>Details</h2>\n<div class=\"columns\">\n");
        let delays = &self.tally.delays;
        rows(
            page,
            "Latency (ms)",
            &[
                ("capture to metadata", &self.tally.capture),
                ("pixels to the last angle", &self.tally.inference),
            ],
            1e6,
            1,
        );
        rows(
            page,
            "Distraction delay (s)",
            &[
                ("off the road to zone change", &delays.left_road),
                ("threshold to message", &delays.alarm),
                ("sum of an alarm\u{2019}s two", &delays.total),
            ],
            1e9,
            2,
        );
        let times = |count: u64| format!("{count}\u{d7}");
        let raised =
            self.tally.raised().map(|(alarm, count)| (alarm.name().to_owned(), times(count)));
        facts(page, "Alarms raised", raised);
        let judged = self.tally.judged().max(1) as f64;
        let states = self.tally.states().map(|(state, frames)| {
            (state.name().to_owned(), format!("{:.1} %", frames as f64 / judged * 100.0))
        });
        facts(page, "Driver\u{2019}s state", states);
        facts(page, "Process", self.usage.into_iter().flat_map(process));
        facts(page, "Setup", self.setup());
        page.push_str("</div>\n");
        if let Some(pipeline) = &self.report.input.pipeline {
            let _ = writeln!(page, "<h2>Pipeline</h2>\n<pre>{}</pre>", escape(pipeline));
        }
        page.push_str("</section>\n");
    }

    fn setup(&self) -> Vec<(String, String)> {
        let names = |named: &[Named]| {
            let names: Vec<&str> = named.iter().map(|named| named.name.as_str()).collect();
            names.join(", ")
        };
        let pair = |name: &str, value: String| (name.to_owned(), value);
        let mut setup = vec![
            pair("model", names(self.tally.models())),
            pair("rules", names(self.tally.rules())),
            pair("zones", self.zones.map(|zones| zones.name.to_string()).unwrap_or_default()),
            pair("source", self.tally.source().to_string()),
            pair("machine", self.report.input.machine.clone().unwrap_or_default()),
        ];
        setup.retain(|(_, value)| !value.is_empty());
        setup
    }
}

fn process(usage: &ProcessUsage) -> Vec<(String, String)> {
    let cores = usage.cpu_seconds / usage.seconds.max(1e-3);
    let end_and_max = |(end, max): (u64, u64)| format!("{end}, at most {max}");
    [
        ("ran for", duration(std::time::Duration::from_secs_f64(usage.seconds))),
        ("processor", format!("{cores:.2} cores")),
        ("memory", format!("at most {:.1} MB", usage.memory.max())),
        ("threads", end_and_max(usage.threads)),
        ("open files", end_and_max(usage.files)),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

/// A table of percentiles; nothing where all counts are 0.
fn rows(
    page: &mut String,
    title: &str,
    histograms: &[(&str, &LatencyHistogram)],
    unit: f64,
    digits: usize,
) {
    if histograms.iter().all(|(_, histogram)| histogram.count() == 0) {
        return;
    }
    let _ = write!(page, "<div><table>\n<thead><tr><th>{title}</th>");
    for head in ["p50", "p95", "p99", "max", "n"] {
        let _ = write!(page, "<th class=\"number\">{head}</th>");
    }
    page.push_str("</tr></thead>\n<tbody>\n");
    for (name, histogram) in histograms.iter().filter(|(_, histogram)| histogram.count() > 0) {
        let _ = write!(page, "<tr><td>{name}</td>");
        let values = [0.5, 0.95, 0.99, 1.0].map(|share| histogram.percentile_ns(share));
        for value in values {
            let _ = write!(page, "<td class=\"number\">{:.digits$}</td>", value as f64 / unit);
        }
        let _ = writeln!(page, "<td class=\"number\">{}</td></tr>", histogram.count());
    }
    page.push_str("</tbody>\n</table></div>\n");
}

/// A table of names and values; nothing without values.
fn facts(page: &mut String, title: &str, facts: impl IntoIterator<Item = (String, String)>) {
    let mut facts = facts.into_iter().peekable();
    if facts.peek().is_none() {
        return;
    }
    let _ = writeln!(
        page,
        "<div><table>\n<thead><tr><th colspan=\"2\">{title}</th></tr></thead>\n<tbody>"
    );
    for (name, value) in facts {
        let _ = writeln!(
            page,
            "<tr><td>{}</td><td class=\"number\">{}</td></tr>",
            escape(&name),
            escape(&value)
        );
    }
    page.push_str("</tbody>\n</table></div>\n");
}
