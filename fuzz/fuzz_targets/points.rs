#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| pipeline_fuzz::points::run(data));
