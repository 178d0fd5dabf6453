//! One table per element for its properties: each entry says a property's name, range, words and the
//! field of the settings that holds it. The default is what that field has in `S::default()`, so the
//! two cannot disagree.
//!
//! glib's derive macro `Properties` has no answer to three things that the elements need: settings
//! in groups that several elements share, a value that is refused with a reason, and values that a
//! configuration file sets by name.

use std::marker::PhantomData;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::sync::Arc;

use glib::prelude::*;

type Describe<S> = Box<dyn Fn(&mut S, &Words) -> glib::ParamSpec + Send + Sync>;
type Get<S> = Box<dyn Fn(&mut S) -> glib::Value + Send + Sync>;
type Set<S> = Box<dyn Fn(&mut S, &glib::Value) -> Result<(), String> + Send + Sync>;

/// What a property's description says beside its type, range and default.
#[derive(Clone, Debug)]
pub struct Words {
    /// As users write it.
    pub name: &'static str,
    /// Its title.
    pub nick: &'static str,
    /// What it does, and in which unit.
    pub blurb: &'static str,
    /// Whether it is readable, writable, and when it may change.
    pub flags: glib::ParamFlags,
}

/// A property of the settings `S`.
pub struct Property<S> {
    words: Words,
    describe: Describe<S>,
    get: Get<S>,
    set: Set<S>,
}

impl<S: 'static> Property<S> {
    /// A property of any type: how it is described, read and set.
    pub fn new(
        name: &'static str,
        describe: impl Fn(&mut S, &Words) -> glib::ParamSpec + Send + Sync + 'static,
        get: impl Fn(&mut S) -> glib::Value + Send + Sync + 'static,
        set: impl Fn(&mut S, &glib::Value) -> Result<(), String> + Send + Sync + 'static,
    ) -> Self {
        let words = Words { name, nick: name, blurb: name, flags: glib::ParamFlags::READWRITE };
        Self { words, describe: Box::new(describe), get: Box::new(get), set: Box::new(set) }
    }

    /// A number in a range.
    pub fn number<T: Number>(
        name: &'static str,
        range: RangeInclusive<T>,
        field: fn(&mut S) -> &mut T,
    ) -> Self {
        let described = range.clone();
        Self::new(
            name,
            move |settings, words| T::spec(words, &described, *field(settings)),
            move |settings| (*field(settings)).into(),
            move |settings, value| {
                let number = get::<T>(value)?;
                // GObject keeps to the range; a configuration file does not.
                if !range.contains(&number) {
                    let (least, most) = (range.start(), range.end());
                    return Err(format!("{name}={number} is outside {least} to {most}"));
                }
                *field(settings) = number;
                Ok(())
            },
        )
    }

    /// Yes or no.
    pub fn flag(name: &'static str, field: fn(&mut S) -> &mut bool) -> Self {
        Self::new(
            name,
            move |settings, words| {
                glib::ParamSpecBoolean::builder(words.name)
                    .nick(words.nick)
                    .blurb(words.blurb)
                    .flags(words.flags)
                    .default_value(*field(settings))
                    .build()
            },
            move |settings| field(settings).to_value(),
            move |settings, value| assign(field(settings), value),
        )
    }

    /// One of an enumeration.
    pub fn choice<T>(name: &'static str, field: fn(&mut S) -> &mut T) -> Self
    where
        T: Copy
            + ToValue
            + StaticType
            + for<'v> glib::value::FromValue<'v>
            + glib::translate::FromGlib<i32>
            + glib::translate::IntoGlib<GlibType = i32>
            + 'static,
    {
        Self::new(
            name,
            move |settings, words| {
                glib::ParamSpecEnum::builder_with_default(words.name, *field(settings))
                    .nick(words.nick)
                    .blurb(words.blurb)
                    .flags(words.flags)
                    .build()
            },
            move |settings| field(settings).to_value(),
            move |settings, value| assign(field(settings), value),
        )
    }

    /// A text that may be unset; an empty one is unset.
    pub fn text(name: &'static str, field: fn(&mut S) -> &mut Option<Arc<str>>) -> Self {
        Self::string(
            name,
            move |settings| field(settings).as_deref().to_value(),
            move |settings, text| {
                *field(settings) = text.filter(|text| !text.is_empty()).map(Arc::from);
                Ok(())
            },
        )
    }

    /// A text that is read and set by functions.
    pub fn string(
        name: &'static str,
        get: impl Fn(&mut S) -> glib::Value + Clone + Send + Sync + 'static,
        set: impl Fn(&mut S, Option<&str>) -> Result<(), String> + Send + Sync + 'static,
    ) -> Self {
        let default = get.clone();
        Self::new(
            name,
            move |settings, words| {
                let value = default(settings);
                glib::ParamSpecString::builder(words.name)
                    .nick(words.nick)
                    .blurb(words.blurb)
                    .flags(words.flags)
                    .default_value(value.get::<Option<&str>>().ok().flatten())
                    .build()
            },
            get,
            move |settings, value| {
                let text = text(value).map_err(|why| format!("{name}{why}"))?;
                set(settings, text.as_deref())
            },
        )
    }

    /// A part of the frame: x, y, width and height as fractions of it.
    pub fn region(name: &'static str, field: fn(&mut S) -> &mut [f64; 4]) -> Self {
        Self::new(
            name,
            |_, words| {
                let fraction = glib::ParamSpecDouble::builder("fraction")
                    .nick("Fraction")
                    .blurb("Fraction of the frame's width or height")
                    .minimum(0.0)
                    .maximum(1.0)
                    .build();
                gst::ParamSpecArray::builder(words.name)
                    .nick(words.nick)
                    .blurb(words.blurb)
                    .flags(words.flags)
                    .element_spec(&fraction)
                    .build()
            },
            move |settings| gst::Array::new(*field(settings)).to_value(),
            move |settings, value| {
                *field(settings) = fractions(value).map_err(|why| format!("{name} {why}"))?;
                Ok(())
            },
        )
    }

    /// A property of the base class `B` that the element has itself.
    pub fn overriding<B: IsA<glib::Object> + glib::object::IsClass>(
        name: &'static str,
        field: fn(&mut S) -> &mut bool,
    ) -> Self {
        Self {
            describe: Box::new(|_, words| glib::ParamSpecOverride::for_class::<B>(words.name)),
            ..Self::flag(name, field)
        }
    }

    /// Its title.
    pub fn nick(mut self, nick: &'static str) -> Self {
        self.words.nick = nick;
        self
    }

    /// What it does, and in which unit.
    pub fn blurb(mut self, blurb: &'static str) -> Self {
        self.words.blurb = blurb;
        self
    }

    /// It may change in READY and below.
    pub fn mutable_ready(mut self) -> Self {
        self.words.flags |= gst::PARAM_FLAG_MUTABLE_READY;
        self
    }

    /// It may change at any time.
    pub fn mutable_playing(mut self) -> Self {
        self.words.flags |= gst::PARAM_FLAG_MUTABLE_PLAYING;
        self
    }

    /// What else changes once it is set.
    pub fn and_then(self, then: fn(&mut S)) -> Self {
        let set = self.set;
        Self {
            set: Box::new(move |settings, value| {
                set(settings, value)?;
                then(settings);
                Ok(())
            }),
            ..self
        }
    }

    /// The same property of settings that have these as a part.
    fn of<W: 'static>(self, part: fn(&mut W) -> &mut S) -> Property<W> {
        let Self { words, describe, get, set } = self;
        Property {
            words,
            describe: Box::new(move |whole, words| describe(part(whole), words)),
            get: Box::new(move |whole| get(part(whole))),
            set: Box::new(move |whole, value| set(part(whole), value)),
        }
    }
}

/// The properties of an element whose settings are `S`.
pub struct Table<S> {
    specs: Vec<glib::ParamSpec>,
    properties: Vec<Property<S>>,
    settings: PhantomData<fn(S)>,
}

impl<S: Default + 'static> Table<S> {
    /// A table of these properties.
    pub fn new(properties: Vec<Property<S>>) -> Self {
        let mut table = Self { specs: Vec::new(), properties: Vec::new(), settings: PhantomData };
        table.extend(properties);
        table
    }

    fn extend(&mut self, properties: impl IntoIterator<Item = Property<S>>) {
        let mut defaults = S::default();
        for property in properties {
            self.specs.push((property.describe)(&mut defaults, &property.words));
            self.properties.push(property);
        }
    }

    /// Adds the properties of a part of the settings.
    pub fn with<P: 'static>(
        mut self,
        properties: Vec<Property<P>>,
        part: fn(&mut S) -> &mut P,
    ) -> Self {
        self.extend(properties.into_iter().map(|property| property.of(part)));
        self
    }

    /// Adds the description of a property that is not a setting; the element answers it.
    pub fn read_only(mut self, spec: glib::ParamSpec) -> Self {
        self.specs.push(spec);
        self
    }

    /// The descriptions of all properties.
    pub fn specs(&self) -> &[glib::ParamSpec] {
        &self.specs
    }

    fn find(&self, name: &str) -> Option<&Property<S>> {
        self.properties.iter().find(|property| property.words.name == name)
    }

    /// Sets one property. A value that is refused changes nothing.
    ///
    /// # Errors
    /// Why the value is refused.
    pub fn set(&self, settings: &mut S, name: &str, value: &glib::Value) -> Result<(), String> {
        let property =
            self.find(name).ok_or_else(|| format!("property '{name}' does not exist"))?;
        (property.set)(settings, value)
    }

    /// The value of one property; `None` for one that is not a setting.
    pub fn get(&self, settings: &mut S, name: &str) -> Option<glib::Value> {
        self.find(name).map(|property| (property.get)(settings))
    }
}

/// A number that GObject describes with a range.
pub trait Number:
    Copy
    + PartialOrd
    + std::fmt::Display
    + Into<glib::Value>
    + for<'v> glib::value::FromValue<'v>
    + Send
    + Sync
    + 'static
{
    /// The description of a property of this type.
    fn spec(words: &Words, range: &RangeInclusive<Self>, default: Self) -> glib::ParamSpec;
}

macro_rules! numbers {
    ($($number:ty: $spec:ident),*) => {$(
        impl Number for $number {
            fn spec(words: &Words, range: &RangeInclusive<Self>, default: Self) -> glib::ParamSpec {
                glib::$spec::builder(words.name)
                    .nick(words.nick)
                    .blurb(words.blurb)
                    .flags(words.flags)
                    .minimum(*range.start())
                    .maximum(*range.end())
                    .default_value(default)
                    .build()
            }
        }
    )*};
}

numbers!(
    i32: ParamSpecInt,
    u32: ParamSpecUInt,
    u64: ParamSpecUInt64,
    f32: ParamSpecFloat,
    f64: ParamSpecDouble
);

/// The value of a type that GObject has checked already; the error says what went wrong anyway.
pub fn get<'v, T: glib::value::FromValue<'v>>(value: &'v glib::Value) -> Result<T, String> {
    value.get::<T>().map_err(|error| error.to_string())
}

/// The text of a string value. A caller in C may set any bytes, on which glib's conversion to `str`
/// panics; that to a path takes them.
///
/// # Errors
/// The bytes are not UTF-8.
pub fn text(value: &glib::Value) -> Result<Option<String>, String> {
    let Some(bytes) = get::<Option<PathBuf>>(value)? else { return Ok(None) };
    let text = bytes.into_os_string().into_string();
    text.map(Some)
        .map_err(|bytes| format!("='{}' is not UTF-8; the old value stays", bytes.display()))
}

fn assign<T: for<'v> glib::value::FromValue<'v>>(
    field: &mut T,
    value: &glib::Value,
) -> Result<(), String> {
    *field = get(value)?;
    Ok(())
}

/// Four fractions that lie in the frame.
fn fractions(value: &glib::Value) -> Result<[f64; 4], String> {
    let array = get::<gst::ArrayRef<'_>>(value)?;
    let numbers: Option<Vec<f64>> = array.as_slice().iter().map(|v| v.get().ok()).collect();
    let region = numbers.and_then(|n| <[f64; 4]>::try_from(n).ok());
    let [x, y, w, h] = region.ok_or("takes four numbers: x, y, width, height")?;
    let inside =
        |start: f64, extent: f64| start >= 0.0 && extent > 0.0 && start + extent <= 1.0 + 1e-9;
    if inside(x, w) && inside(y, h) {
        Ok([x, y, w, h])
    } else {
        Err(format!("<{x}, {y}, {w}, {h}> is not inside the frame (0..1)"))
    }
}
