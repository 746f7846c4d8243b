//! The progress of a download, on a terminal.

use std::io::{self, IsTerminal as _};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use zccache_ipc::model::download::{DownloadPhase, DownloadStatus};

/// A bar on the standard error, or nothing where nobody would see it.
pub(super) struct Bar(ProgressBar);

impl Bar {
    pub(super) fn new(is_wanted: bool) -> Self {
        if !is_wanted || !io::stderr().is_terminal() {
            return Self(ProgressBar::hidden());
        }
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        bar.set_style(unmeasured());
        bar.enable_steady_tick(Duration::from_millis(250));
        Self(bar)
    }

    pub(super) fn show(&self, status: &DownloadStatus) {
        if let Some(total) = status.total_bytes
            && self.0.length() != Some(total)
        {
            self.0.set_style(measured());
            self.0.set_length(total);
            // What an earlier attempt brought says nothing about the speed of this one.
            self.0.set_position(status.downloaded_bytes);
            self.0.reset_eta();
        }
        self.0.set_position(status.downloaded_bytes);
        self.0.set_message(match status.phase {
            DownloadPhase::Pending => "waiting for its turn",
            DownloadPhase::Finalizing => "putting it in place",
            _ => "",
        });
    }

    pub(super) fn clear(&self) {
        self.0.finish_and_clear();
    }
}

fn measured() -> ProgressStyle {
    style("{bar:32} {bytes}/{total_bytes} {bytes_per_sec} {eta} {msg}")
}

fn unmeasured() -> ProgressStyle {
    style("{spinner} {bytes} {bytes_per_sec} {msg}")
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("the two templates above are well-formed")
}

#[cfg(test)]
mod tests {
    #[test]
    fn both_templates_are_well_formed() {
        let _ = (super::measured(), super::unmeasured());
    }
}
