//! The GStreamer elements: the only code that names GStreamer.

mod bus;
mod camera;
mod clock;
pub mod enums;
mod errors;
mod execution;
pub mod format;
pub mod frame;
pub mod gazeface;
pub mod gazeinfer;
pub mod gazemonitor;
pub mod gazeoverlay;
pub mod gazepublish;
mod latency;
mod liveness;
mod lost_results;
pub mod meta;
mod model;
pub mod nvidia_buffer;
mod orientation;
mod picture;
mod picture_advice;
mod pixels;
mod property;
mod qos;
pub mod stats;
mod time_warnings;
mod upstream;

#[allow(missing_docs)] // the macro generates items without documentation
mod define {
    fn plugin_init(plugin: &gst::Plugin) -> Result<(), glib::BoolError> {
        super::register(plugin)
    }

    gst::plugin_define!(
        gaze,
        env!("CARGO_PKG_DESCRIPTION"),
        plugin_init,
        concat!(env!("CARGO_PKG_VERSION"), "-", env!("COMMIT_ID")),
        "MIT/X11",
        env!("CARGO_PKG_NAME"),
        env!("CARGO_PKG_NAME"),
        env!("CARGO_PKG_REPOSITORY"),
        env!("BUILD_REL_DATE")
    );
}

pub use define::plugin_register_static;

fn register(plugin: &gst::Plugin) -> Result<(), glib::BoolError> {
    enums::register();
    meta::register();
    gazeface::register(plugin)?;
    gazeinfer::register(plugin)?;
    gazemonitor::register(plugin)?;
    gazeoverlay::register(plugin)?;
    gazepublish::register(plugin)?;
    Ok(())
}
