//! Gives the plugin its version, release date and repository (see `plugin_define!` in `src/plugin`).

fn main() {
    gst_plugin_version_helper::info();
}
