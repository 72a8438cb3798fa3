use fidius_core::python_descriptor::{PythonInterfaceDescriptor, PythonMethodDesc};
fn main() {
    let words: Vec<String> = std::env::args().collect();
    let hash = u64::from_str_radix(words[3].trim_start_matches("0x"), 16).unwrap();
    let methods: Vec<PythonMethodDesc> = words[4..].iter().map(|name| PythonMethodDesc { name: Box::leak(name.clone().into_boxed_str()), wire_raw: false }).collect();
    let descriptor: &'static PythonInterfaceDescriptor = Box::leak(Box::new(PythonInterfaceDescriptor { interface_name: "Greeter", interface_hash: hash, methods: Box::leak(methods.into_boxed_slice()) }));
    let host = fidius_host::PluginHost::builder().search_path(&words[1]).build().unwrap();
    match host.load_python(&words[2], descriptor) {
        Ok(handle) => {
            let answer: Result<String, _> = handle.call_method(0, &("World".to_string(),));
            println!("{:?}", answer);
        }
        Err(error) => { println!("{error}"); std::process::exit(1); }
    }
}
