use std::os::unix::fs::symlink;

use tempfile::TempDir;

use super::*;

const FOREVER: FileLimits = FileLimits { bytes: 0, time: Duration::ZERO, files: 3 };

fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gaze.jsonl");
    (folder, path)
}

fn open(path: &Path) -> LineFile {
    LineFile::open(path, false, FOREVER).unwrap()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

#[test]
fn a_file_is_emptied_or_appended_to() {
    let (_folder, path) = folder();
    for (append, expected) in [(false, "a\n"), (true, "a\na\n"), (false, "a\n")] {
        LineFile::open(&path, append, FOREVER).unwrap().write_line(b"a\n").unwrap();
        assert_eq!(read(&path), expected);
    }
}

#[test]
fn a_second_writer_is_refused_and_changes_nothing() {
    let (_folder, path) = folder();
    let mut first = open(&path);
    first.write_line(b"a\n").unwrap();
    for append in [false, true] {
        let error = LineFile::open(&path, append, FOREVER).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ResourceBusy);
    }
    first.write_line(b"b\n").unwrap();
    assert_eq!(read(&path), "a\nb\n");
    drop(first);
    open(&path);
}

#[test]
fn a_file_that_shrinks_goes_on_at_its_end() {
    let (_folder, path) = folder();
    let mut file = open(&path);
    file.write_line(b"first\n").unwrap();
    File::options().write(true).open(&path).unwrap().set_len(0).unwrap();
    file.write_line(b"second\n").unwrap();
    assert_eq!(read(&path), "second\n");
}

#[test]
fn a_file_that_moved_is_made_again() {
    let (folder, path) = folder();
    let moved = folder.path().join("moved");
    let mut file = open(&path);
    file.write_line(b"a\n").unwrap();
    fs::rename(&path, &moved).unwrap();
    file.write_line(b"b\n").unwrap();
    assert_eq!((read(&moved), read(&path)), ("a\n".into(), "b\n".into()));
    fs::remove_file(&path).unwrap();
    file.write_line(b"c\n").unwrap();
    assert_eq!(read(&path), "c\n");
    // What another program put there stays.
    let other = folder.path().join("other");
    fs::write(&other, "x\n").unwrap();
    fs::rename(&other, &path).unwrap();
    file.write_line(b"d\n").unwrap();
    assert_eq!(read(&path), "x\nd\n");
}

#[test]
fn an_open_line_of_an_earlier_run_is_closed() {
    let (_folder, path) = folder();
    for (before, after) in [("", "b\n"), ("a\n", "a\nb\n"), ("{\"a", "{\"a\nb\n")] {
        fs::write(&path, before).unwrap();
        let mut file = LineFile::open(&path, true, FOREVER).unwrap();
        file.write_line(b"b\n").unwrap();
        assert_eq!(read(&path), after);
    }
}

#[test]
fn a_limit_in_size_begins_new_files_and_keeps_some() {
    let (folder, path) = folder();
    let limits = FileLimits { bytes: 8, ..FOREVER };
    let mut file = LineFile::open(&path, false, limits).unwrap();
    for line in ["1\n", "2\n", "3\n", "4\n", "5\n", "a long line\n", "6\n", "7\n"] {
        file.write_line(line.as_bytes()).unwrap();
    }
    let name = |number| numbered(&path, number);
    assert_eq!(read(&path), "6\n7\n");
    assert_eq!((read(&name(1)), read(&name(2))), ("a long line\n".into(), "5\n".into()));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
    // An earlier run counts.
    drop(file);
    let mut file = LineFile::open(&path, true, limits).unwrap();
    file.write_line(b"8\n").unwrap();
    file.write_line(b"9\n").unwrap();
    file.write_line(b"10\n").unwrap();
    assert_eq!((read(&path), read(&name(1))), ("10\n".into(), "6\n7\n8\n9\n".into()));
}

#[test]
fn a_limit_in_time_begins_new_files() {
    let (_folder, path) = folder();
    let limits = FileLimits { time: Duration::from_nanos(1), ..FOREVER };
    let mut file = LineFile::open(&path, false, limits).unwrap();
    for line in [b"1\n", b"2\n"] {
        file.write_line(line).unwrap();
    }
    assert_eq!((read(&path), read(&numbered(&path, 1))), ("2\n".into(), "1\n".into()));
}

#[test]
fn one_file_begins_anew() {
    let (folder, path) = folder();
    let limits = FileLimits { bytes: 4, files: 1, ..FOREVER };
    let mut file = LineFile::open(&path, false, limits).unwrap();
    for line in [b"1\n", b"2\n", b"3\n"] {
        file.write_line(line).unwrap();
    }
    assert_eq!(read(&path), "3\n");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn the_file_behind_a_link_moves_and_the_link_stays() {
    let (folder, path) = folder();
    let link = folder.path().join("link");
    symlink(&path, &link).unwrap();
    let mut file = LineFile::open(&link, false, FileLimits { bytes: 2, ..FOREVER }).unwrap();
    for line in [b"1\n", b"2\n"] {
        file.write_line(line).unwrap();
    }
    assert_eq!((read(&path), read(&numbered(&path, 1))), ("2\n".into(), "1\n".into()));
    assert!(link.symlink_metadata().unwrap().is_symlink());
}

#[test]
fn lines_go_on_where_no_new_file_can_be_begun() {
    let (_folder, path) = folder();
    let mut file = LineFile::open(&path, false, FileLimits { bytes: 4, ..FOREVER }).unwrap();
    fs::create_dir_all(numbered(&path, 1).join("full")).unwrap();
    fs::create_dir_all(numbered(&path, 2).join("full")).unwrap();
    for line in [b"1\n", b"2\n", b"3\n", b"4\n"] {
        file.write_line(line).unwrap();
    }
    assert!(file.take_rotation_error().is_some());
    assert!(file.take_rotation_error().is_none(), "one for each attempt");
    assert_eq!(read(&path), "1\n2\n3\n4\n");
    fs::remove_dir_all(numbered(&path, 1)).unwrap();
    file.write_line(b"5\n").unwrap();
    assert_eq!((read(&path), read(&numbered(&path, 1))), ("5\n".into(), "1\n2\n3\n4\n".into()));
}

#[test]
fn directories_and_devices_are_refused() {
    let (folder, _) = folder();
    assert!(LineFile::open(folder.path(), false, FOREVER).is_err());
    assert!(LineFile::open(Path::new("/dev/null"), false, FOREVER).is_err());
}
