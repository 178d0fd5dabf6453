//! Notices when regions arrive and none of them has the class that is asked for.

use std::fmt;

/// So many frames with regions but without a wanted one are no chance.
const FRAMES: u32 = 30;

/// The most classes that are remembered.
const MAX_CLASSES: usize = 8;

/// A class of regions that arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Class {
    /// A type of regions of interest, or a class of GstAnalytics objects.
    Named(String),
    /// A region without a type.
    Unnamed,
    /// An object of DeepStream: the `unique-id` of its detector, and its class.
    Object(i32, i32),
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named(name) => write!(f, "'{name}'"),
            Self::Unnamed => f.write_str("none"),
            Self::Object(component, class) => {
                write!(f, "the object class {class} of the component {component}")
            }
        }
    }
}

/// The classes that arrived while none matched; it allocates nothing once one has.
#[derive(Debug, Default)]
pub struct ClassWatch {
    matched: bool,
    told: bool,
    wanted: String,
    seen: Vec<Class>,
    /// Whether the present frame has regions of other classes.
    others: bool,
    /// Frames with regions.
    frames: u32,
}

impl ClassWatch {
    /// Begins a frame whose regions should have this class. Another class than before starts over.
    pub fn begin(&mut self, wanted: &str) {
        if self.wanted != wanted {
            *self = Self { wanted: wanted.to_owned(), ..Self::default() };
        }
        self.others = false;
    }

    /// A region has the wanted class.
    pub fn matched(&mut self) {
        self.matched = true;
    }

    /// A region has another class, or none.
    pub fn other(&mut self, class: Option<&str>) {
        let known = |seen: &Class| match (seen, class) {
            (Class::Named(seen), Some(class)) => seen == class,
            (Class::Unnamed, None) => true,
            _ => false,
        };
        self.note(known, || class.map_or(Class::Unnamed, |class| Class::Named(class.to_owned())));
    }

    /// An object of DeepStream has another class.
    pub fn other_object(&mut self, component: i32, class: i32) {
        let object = Class::Object(component, class);
        self.note(|seen| *seen == object, || object.clone());
    }

    fn note(&mut self, known: impl Fn(&Class) -> bool, class: impl Fn() -> Class) {
        self.others = true;
        let room = !self.matched && !self.told && self.seen.len() < MAX_CLASSES;
        if room && !self.seen.iter().any(known) {
            self.seen.push(class());
        }
    }

    /// Ends a frame. Returns once, after enough frames, which classes arrived in place of the wanted
    /// one.
    pub fn end(&mut self) -> Option<String> {
        self.frames = self.frames.saturating_add(u32::from(self.others));
        if self.frames < FRAMES { None } else { self.finish() }
    }

    /// The stream ends: returns the same, after fewer frames as well.
    pub fn finish(&mut self) -> Option<String> {
        if self.matched || self.told || self.frames == 0 {
            return None;
        }
        self.told = true;
        Some(self.seen.iter().map(Class::to_string).collect::<Vec<_>>().join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs frames with regions of these classes, and returns what is told in the first that tells.
    fn told(watch: &mut ClassWatch, classes: &[Option<&str>], frames: u32) -> Option<String> {
        (0..frames).find_map(|_| {
            watch.begin("face");
            for class in classes {
                match *class {
                    Some("face") => watch.matched(),
                    class => watch.other(class),
                }
            }
            watch.end()
        })
    }

    #[test]
    fn classes_are_named_once() {
        let mut watch = ClassWatch::default();
        let classes = [Some("person"), None, Some("car"), Some("person")];
        assert_eq!(told(&mut watch, &classes, FRAMES - 1), None);
        assert_eq!(told(&mut watch, &classes, 1).as_deref(), Some("'person', none, 'car'"));
        assert_eq!(told(&mut watch, &classes, 100), None);
        assert_eq!(watch.finish(), None);
    }

    #[test]
    fn one_match_is_enough() {
        let mut watch = ClassWatch::default();
        told(&mut watch, &[Some("face")], 1);
        assert_eq!(told(&mut watch, &[Some("person")], 1000), None);
        assert_eq!(watch.finish(), None);
    }

    #[test]
    fn a_short_stream_tells_at_its_end_and_one_without_regions_never() {
        let mut watch = ClassWatch::default();
        told(&mut watch, &[], 1000);
        assert_eq!(watch.finish(), None);
        told(&mut watch, &[Some("person")], 1);
        assert_eq!(watch.finish().as_deref(), Some("'person'"));
    }

    #[test]
    fn many_classes_take_no_more_memory() {
        let mut watch = ClassWatch::default();
        for class in 0..10_000 {
            watch.begin("face");
            watch.other(Some(&class.to_string()));
        }
        assert_eq!(watch.seen.len(), MAX_CLASSES);
    }
}
