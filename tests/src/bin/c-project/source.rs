//! A project in C, as a build system has one: many sources, each with headers of its own and of others.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

/// The makefile; the compiler is `CC`.
const MAKEFILE: &str = "\
SOURCES := $(wildcard src/*.c)
OBJECTS := $(SOURCES:src/%.c=out/%.o)

program: $(OBJECTS)
\t$(CC) -o $@ $(OBJECTS)

out/%.o: src/%.c
\t$(CC) -O2 -g -Wall -Iinclude -MMD -MP -c $< -o $@

-include $(OBJECTS:.o=.d)
";

/// The number of functions of a source, beside the function that other sources call.
const FUNCTIONS: usize = 40;

/// Writes a project of `files` sources and a main program into `dir`.
///
/// # Errors
///
/// When a file cannot be written.
pub(super) fn write(dir: &Path, files: usize) -> Result<()> {
    for folder in ["src", "include", "out"] {
        fs::create_dir_all(dir.join(folder)).with_context(|| dir.join(folder).display().to_string())?;
    }
    let put = |name: String, text: String| {
        fs::write(dir.join(&name), text).with_context(|| format!("cannot write {name}"))
    };
    put("Makefile".to_owned(), MAKEFILE.to_owned())?;
    for number in 0..files {
        put(format!("include/part{number}.h"), header(number))?;
        put(format!("src/part{number}.c"), source(number, files))?;
    }
    put("src/main.c".to_owned(), main(files))
}

fn header(number: usize) -> String {
    format!("#ifndef PART{number}_H\n#define PART{number}_H\nint part{number}(int x);\n#endif\n")
}

fn source(number: usize, files: usize) -> String {
    let next = (number + 1) % files;
    let mut text = format!(
        "#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n#include \"part{number}.h\"\n\
         #include \"part{next}.h\"\n\n"
    );
    let mut calls = String::new();
    for function in 0..FUNCTIONS {
        let _ = writeln!(
            text,
            "static int step{function}(int x)\n{{\n\tchar text[64];\n\
             \tsnprintf(text, sizeof text, \"%d\", x + {function});\n\
             \treturn atoi(text) * {number} + (int)strlen(text);\n}}\n"
        ); // writing to a string does not fail
        let _ = writeln!(calls, "\tsum += step{function}(x);");
    }
    let _ = write!(text, "int part{number}(int x)\n{{\n\tint sum = 0;\n{calls}\treturn sum;\n}}\n");
    text
}

fn main(files: usize) -> String {
    let includes: String = (0..files).map(|number| format!("#include \"part{number}.h\"\n")).collect();
    let calls: String = (0..files).map(|number| format!("\tsum += part{number}(1);\n")).collect();
    format!("{includes}\nint main(void)\n{{\n\tint sum = 0;\n{calls}\treturn sum == 0;\n}}\n")
}
