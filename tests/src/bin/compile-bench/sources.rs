//! What is compiled: many small files in C, and a few in C++ with heavy headers.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result};

/// Sources that are compiled one after the other.
#[derive(Debug)]
pub(crate) struct Workload {
    pub(crate) name: &'static str,
    pub(crate) sources: Vec<Source>,
    /// Number of warm builds in a round.
    pub(crate) warm: usize,
}

/// One source, by its path in the project.
#[derive(Debug)]
pub(crate) struct Source {
    path: PathBuf,
    compiler: &'static str,
    flags: &'static [&'static str],
}

impl Source {
    pub(crate) fn object(&self) -> PathBuf {
        Path::new("out").join(self.path.with_extension("o"))
    }

    /// Returns the command line.
    pub(crate) fn args(&self) -> Vec<String> {
        let (object, path) = (self.object(), &self.path);
        let mut args = vec![self.compiler.to_owned()];
        args.extend(self.flags.iter().map(|flag| (*flag).to_owned()));
        args.extend(["-c".to_owned(), path.to_string_lossy().into_owned()]);
        args.extend(["-o".to_owned(), object.to_string_lossy().into_owned()]);
        args
    }
}

/// Number of functions of a small file, and of headers of the project.
const FUNCTIONS: usize = 12;
const HEADERS: usize = 20;

/// Heavy sources: name, text, and the package that ships the header.
const HEAVY: &[(&str, &str, &str)] = &[
    (
        "json",
        "#include <nlohmann/json.hpp>\n#include <string>\nint f(const std::string &s) {\n\
            auto j = nlohmann::json::parse(s);\n    j[\"x\"] = j.value(\"y\", 1);\n    return (int)j.dump().size();\n}\n",
        "nlohmann-json3-dev",
    ),
    (
        "fmt",
        "#include <fmt/format.h>\n#include <string>\n\
            std::string g(int a, double b) { return fmt::format(\"{:>8} {:.3f} {}\", a, b, \"x\"); }\n",
        "libfmt-dev",
    ),
    (
        "regex",
        "#include <regex>\n#include <string>\n\
            bool h(const std::string &s) { return std::regex_match(s, std::regex(\"(a|b)*c[0-9]+\")); }\n",
        "g++",
    ),
];

/// Writes the sources into `dir`; returns the workloads, and the names of what this machine lacks.
///
/// # Errors
///
/// Fails if a file cannot be written.
pub(crate) fn write(dir: &Path, files: usize, warm: usize) -> Result<(Vec<Workload>, Vec<String>)> {
    for folder in ["include", "out"] {
        fs::create_dir_all(dir.join(folder)).with_context(|| dir.join(folder).display().to_string())?;
    }
    let put = |name: &str, text: String| {
        fs::write(dir.join(name), text).with_context(|| format!("cannot write {name}"))
    };
    for number in 0..HEADERS {
        let text = format!("#pragma once\n#define WEIGHT_{number} {number}\nint shared{number}(int x);\n");
        put(&format!("include/shared{number}.h"), text)?;
    }
    let mut small = Vec::new();
    for number in 0..files {
        let name = format!("small{number}.c");
        put(&name, c_source(number))?;
        small.push(Source { path: name.into(), compiler: "gcc", flags: &["-O2", "-Wall", "-Iinclude"] });
    }
    let mut workloads = vec![Workload { name: "small C", sources: small, warm }];
    let (mut heavy, mut missing) = (Vec::new(), Vec::new());
    for (name, text, package) in HEAVY {
        let name = format!("{name}.cpp");
        put(&name, (*text).to_owned())?;
        let source = Source { path: name.into(), compiler: "g++", flags: &["-O2", "-std=c++17"] };
        if preprocesses(dir, &source.path) {
            heavy.push(source);
        } else {
            missing.push(format!("{} (its header is in the package {package})", source.path.display()));
        }
    }
    if !heavy.is_empty() {
        workloads.push(Workload { name: "heavy C++", sources: heavy, warm: 10 * warm });
    }
    Ok((workloads, missing))
}

fn preprocesses(dir: &Path, source: &Path) -> bool {
    let mut command = Command::new("g++");
    command.args(["-std=c++17", "-fsyntax-only", "-E"]).arg(source).current_dir(dir);
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

fn c_source(number: usize) -> String {
    let mut text =
        "#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n#include <errno.h>\n".to_owned();
    for step in 0..5 {
        // Writing to a string does not fail.
        let _ = writeln!(text, "#include \"shared{}.h\"", (number + step * 7) % HEADERS);
    }
    for function in 0..FUNCTIONS {
        let _ = writeln!(
            text,
            "int small{number}_{function}(const char *s, int n)\n{{\n    char buffer[64];\n    \
                snprintf(buffer, sizeof buffer, \"%s %d\", s, n + {function});\n    \
                for (int i = 0; i < n; i++) n += shared{}(i) ^ (int)strlen(buffer);\n    return n * {number};\n}}",
            number % HEADERS
        );
    }
    text
}
