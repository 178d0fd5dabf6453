//! The shape of the source, held by a test: which room may name which, what belongs to one room alone,
//! and that no import circle ties files of different folders. ARCHITECTURE.md tells why.
//!
//! `cargo test --test architecture -- --nocapture` prints what it measured.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::{env, fs};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// A source file: where it is, and what its tokens name.
struct Source {
    /// From the folder `src`, with `/`.
    file: String,
    /// Its module: `["lib", "core", "gaze"]`, or `["bin", ...]` for the program.
    module: Vec<String>,
    /// Every path in it, outside tests, as it is written.
    paths: Vec<Vec<String>>,
    /// Modules that it declares.
    children: BTreeSet<String>,
    lines: usize,
}

fn root() -> PathBuf {
    // At run time, so that another checkout can be measured with the same program.
    PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("src")
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry")) {
        let path = entry.path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

fn is_test(file: &str) -> bool {
    file.ends_with("_tests.rs") || file.ends_with("/tests.rs")
}

fn sources() -> Vec<Source> {
    let root = root();
    let mut paths = Vec::new();
    files(&root, &mut paths);
    let mut sources: Vec<Source> = paths
        .iter()
        .map(|path| {
            let file = path.strip_prefix(&root).expect("below src").to_string_lossy().into_owned();
            let text = fs::read_to_string(path).expect("UTF-8");
            let tokens = TokenStream::from_str(&text).expect("Rust");
            let mut source = Source {
                module: module_of(&file),
                file,
                paths: Vec::new(),
                children: BTreeSet::new(),
                lines: text.lines().count(),
            };
            walk(tokens, &[], &mut source);
            source
        })
        .filter(|source| !is_test(&source.file))
        .collect();
    sources.sort_by(|a, b| a.file.cmp(&b.file));
    sources
}

fn module_of(file: &str) -> Vec<String> {
    let file = file.trim_end_matches(".rs");
    let (root, rest) = match file.strip_prefix("bin/gazetool/") {
        Some(rest) => ("bin", rest),
        None => ("lib", file),
    };
    let mut module = vec![root.to_owned()];
    module.extend(rest.split('/').map(str::to_owned));
    if matches!(module.last().map(String::as_str), Some("mod" | "lib" | "main")) {
        module.pop();
    }
    module
}

/// Collects paths. `prefix` is what stands before the braces of a `use`.
fn walk(tokens: TokenStream, prefix: &[String], source: &mut Source) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let is_colon =
        |at: usize| matches!(tokens.get(at), Some(TokenTree::Punct(p)) if p.as_char() == ':');
    let ident = |at: usize| match tokens.get(at) {
        Some(TokenTree::Ident(ident)) => Some(ident.to_string()),
        _ => None,
    };
    let mut at = 0;
    while at < tokens.len() {
        match &tokens[at] {
            TokenTree::Ident(word) if *word == "mod" => {
                let name = ident(at + 1).unwrap_or_default();
                // Inline modules hold tests, or what a macro defines.
                if let Some(TokenTree::Punct(_)) = tokens.get(at + 2) {
                    source.children.insert(name);
                }
                at += 3;
            }
            TokenTree::Ident(first) => {
                let mut path = prefix.to_vec();
                path.push(first.to_string());
                let mut is_prefix = false;
                at += 1;
                while is_colon(at) && is_colon(at + 1) {
                    match tokens.get(at + 2) {
                        Some(TokenTree::Ident(next)) => {
                            path.push(next.to_string());
                            at += 3;
                        }
                        Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                            walk(group.stream(), &path, source);
                            is_prefix = true;
                            at += 3;
                        }
                        _ => at += 2,
                    }
                }
                if !is_prefix {
                    source.paths.push(path);
                }
            }
            TokenTree::Group(group) => {
                // `pub(in path)` imports nothing.
                let mut inner = group.stream().into_iter();
                if !matches!(inner.next(), Some(TokenTree::Ident(word)) if word == "in") {
                    walk(group.stream(), &[], source);
                }
                at += 1;
            }
            _ => at += 1,
        }
    }
}

/// The path from the crate's root, where it leads into this project.
fn resolved(source: &Source, path: &[String]) -> Option<Vec<String>> {
    let crate_root = source.module[..1].to_vec();
    let with = |base: Vec<String>, rest: &[String]| Some([base, rest.to_vec()].concat());
    // `pub(super)` and `pub(crate)` import nothing.
    if matches!(path.last()?.as_str(), "super" | "crate" | "self") {
        return None;
    }
    match path.first()?.as_str() {
        "crate" => with(crate_root, &path[1..]),
        "gstgaze" => with(vec!["lib".to_owned()], &path[1..]),
        "self" => with(source.module.clone(), &path[1..]),
        "super" => {
            let up = path.iter().take_while(|part| *part == "super").count();
            let base = source.module.len().checked_sub(up)?;
            with(source.module[..base].to_vec(), &path[up..])
        }
        child if source.children.contains(child) && path.len() > 1 => {
            with(source.module.clone(), path)
        }
        _ => None,
    }
}

/// For each file, the other files that it names.
fn imports(sources: &[Source]) -> Vec<BTreeSet<usize>> {
    let by_module: BTreeMap<&[String], usize> =
        sources.iter().enumerate().map(|(index, source)| (&source.module[..], index)).collect();
    let target = |path: &[String]| (1..=path.len()).rev().find_map(|n| by_module.get(&path[..n]));
    let of = |(index, source): (usize, &Source)| {
        let paths = source.paths.iter().filter_map(|path| resolved(source, path));
        paths.filter_map(|path| target(&path).copied()).filter(|other| *other != index).collect()
    };
    sources.iter().enumerate().map(of).collect()
}

/// Strongly connected files (Tarjan 1972), the single ones left out.
fn circles(imports: &[BTreeSet<usize>]) -> Vec<Vec<usize>> {
    struct Search<'a> {
        imports: &'a [BTreeSet<usize>],
        number: Vec<usize>,
        low: Vec<usize>,
        stack: Vec<usize>,
        next: usize,
        found: Vec<Vec<usize>>,
    }
    impl Search<'_> {
        fn visit(&mut self, file: usize) {
            self.next += 1;
            (self.number[file], self.low[file]) = (self.next, self.next);
            self.stack.push(file);
            for other in &self.imports[file] {
                if self.number[*other] == 0 {
                    self.visit(*other);
                    self.low[file] = self.low[file].min(self.low[*other]);
                } else if self.stack.contains(other) {
                    self.low[file] = self.low[file].min(self.number[*other]);
                }
            }
            if self.low[file] == self.number[file] {
                let start = self.stack.iter().rposition(|other| *other == file).expect("pushed");
                let circle = self.stack.split_off(start);
                if circle.len() > 1 {
                    self.found.push(circle);
                }
            }
        }
    }
    let files = imports.len();
    let mut search = Search {
        imports,
        number: vec![0; files],
        low: vec![0; files],
        stack: Vec::new(),
        next: 0,
        found: Vec::new(),
    };
    (0..files).for_each(|file| {
        if search.number[file] == 0 {
            search.visit(file);
        }
    });
    search.found
}

fn folder(file: &str) -> &str {
    file.rsplit_once('/').map_or("", |(folder, _)| folder)
}

fn room(file: &str) -> &str {
    file.split('/').next().unwrap_or_default()
}

#[test]
fn rooms_name_only_the_rooms_below_them() {
    let sources = sources();
    let imports = imports(&sources);
    let below: [(&str, &[&str]); 5] = [
        ("core", &[]),
        ("engine", &["core"]),
        ("nvidia", &["core"]),
        ("plugin", &["core", "engine", "nvidia"]),
        ("bin", &["core", "engine", "nvidia", "lib.rs"]),
    ];
    let mut wrong = Vec::new();
    for (room_name, may) in below {
        for (index, source) in
            sources.iter().enumerate().filter(|(_, s)| room(&s.file) == room_name)
        {
            let others = imports[index].iter().map(|other| &sources[*other].file);
            wrong.extend(
                others
                    .filter(|other| room(other) != room_name && !may.contains(&room(other)))
                    .map(|other| format!("{} names {other}", source.file)),
            );
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn each_outside_library_is_named_in_one_room() {
    let homes: [(&[&str], &str); 3] = [
        (&["gst", "gst_base", "gst_video", "gst_analytics", "glib"], "plugin"),
        (&["ort"], "engine"),
        (&["clap", "indicatif"], "bin"),
    ];
    let mut wrong = Vec::new();
    for source in sources() {
        for (crates, home) in &homes {
            let names = source.paths.iter().filter(|path| path.len() > 1).map(|path| &path[0]);
            let foreign = names.filter(|name| crates.contains(&name.as_str()));
            if room(&source.file) != *home
                && let Some(name) = foreign.into_iter().next()
            {
                wrong.push(format!("{} names {name}", source.file));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_core_has_no_clock_no_thread_no_lock_and_no_file() {
    let forbidden = [
        "Instant",
        "SystemTime",
        "Condvar",
        "Mutex",
        "RwLock",
        "thread",
        "fs",
        "File",
        "parking_lot",
    ];
    let mut wrong = Vec::new();
    for source in sources().iter().filter(|source| room(&source.file) == "core") {
        let outside = source.paths.iter().filter(|path| resolved(source, path).is_none());
        for path in outside.filter(|path| matches!(path[0].as_str(), "std" | "parking_lot")) {
            if path.iter().any(|part| forbidden.contains(&part.as_str())) {
                wrong.push(format!("{} names {}", source.file, path.join("::")));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn unsafe_code_has_one_room() {
    let wrong: Vec<String> = sources()
        .into_iter()
        // GStreamer's buffers that hold NVIDIA's structures: `nvidia` names no GStreamer. And strings that
        // C code wrote into metadata, which the bindings take for UTF-8.
        .filter(|source| {
            !["plugin/nvidia_buffer.rs", "plugin/meta/c_strings.rs"].contains(&source.file.as_str())
        })
        .filter(|source| room(&source.file) != "nvidia")
        .filter(|source| source.paths.iter().any(|path| path[..] == ["unsafe"]))
        .map(|source| source.file)
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn no_circle_ties_files_of_different_folders() {
    let sources = sources();
    let imports = imports(&sources);
    let circles = circles(&imports);
    let names = |circle: &[usize]| {
        circle.iter().map(|file| sources[*file].file.as_str()).collect::<BTreeSet<_>>()
    };
    let across: Vec<_> = circles
        .iter()
        .map(|circle| names(circle))
        .filter(|files| files.iter().map(|file| folder(file)).collect::<BTreeSet<_>>().len() > 1)
        .collect();
    let tied: usize = circles.iter().map(Vec::len).sum();
    println!("{} files, {} lines", sources.len(), sources.iter().map(|s| s.lines).sum::<usize>());
    println!("{} import circles of {tied} files, {} across folders", circles.len(), across.len());
    for circle in &circles {
        println!("  {:?}", names(circle));
    }
    let mut by_length: Vec<_> = sources.iter().map(|source| (source.lines, &source.file)).collect();
    by_length.sort();
    println!("largest files: {:?}", by_length.iter().rev().take(5).collect::<Vec<_>>());
    assert!(across.is_empty(), "{across:#?}");
}
