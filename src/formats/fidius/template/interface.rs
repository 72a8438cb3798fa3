//! What hosts expect of this package. When it changes, write its new hash (`charmer hash --interface interface.rs`) into
//! `plugin_template.py`; `charmer types --interface interface.rs` writes a TypeScript client.

use fidius::plugin_interface;

#[plugin_interface(version = 1, buffer = PluginAllocated)]
pub trait PluginTemplate: Send + Sync {
    /// Greets somebody by name.
    fn greet(&self, name: String) -> String;
}
