//! The fuzzer's inputs once more, on any toolchain (see fuzz/harness and `make fuzz`).

#[path = "../../fuzz/harness/mod.rs"]
mod harness;

use std::path::Path;

#[test]
fn every_input_ends_well() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus/region");
    let mut inputs: Vec<_> = std::fs::read_dir(corpus).unwrap().map(|entry| entry.unwrap().path()).collect();
    inputs.sort();
    for path in &inputs {
        // Where the process ends without a word, this was the input.
        println!("{}", path.display());
        harness::run(&std::fs::read(path).unwrap());
    }
    std::fs::remove_dir_all(&harness::bench().dir).unwrap();
    assert!(inputs.len() > 100, "only {} inputs", inputs.len());
}
