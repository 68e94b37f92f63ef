fn main() {
    match std::env::args().nth(1).as_deref() {
        Some("--version") => println!("tide {}", env!("CARGO_PKG_VERSION")),
        _ => eprintln!("usage: tide --version"),
    }
}
