//! The compiler asked of itself, from code that blocks: the question is noted, and put by the caller.

use std::io;

use run_cache::{Ask, Call, NotCacheable, Plan, Ran, Seeking, Sought, plan};

use super::shelf::StoreShelf;

/// A lookup that may need an answer of the compiler.
pub(super) enum Step {
    Found(Sought),
    Refused(NotCacheable),
    /// The compiler is to be asked with these arguments; then the lookup begins again.
    Asks(Vec<String>),
}

/// Notes what is asked, or hands on the answer.
#[derive(Default)]
struct Noted {
    asked: Option<Vec<String>>,
    answer: Option<Ran>,
}

impl Ask for Noted {
    fn ask(&mut self, args: &[String]) -> io::Result<Ran> {
        match self.answer.take() {
            Some(answer) => Ok(answer),
            None => {
                self.asked = Some(args.to_vec());
                Err(io::ErrorKind::WouldBlock.into())
            }
        }
    }
}

/// Looks a call up, with the answer to an earlier [`Step::Asks`]. Blocks.
pub(super) fn step(call: &Call, shelf: &mut StoreShelf, answer: Option<Ran>) -> Step {
    let mut noted = Noted { asked: None, answer };
    let sought = plan(call).and_then(|plan: Plan| plan.seek(shelf, &mut noted, Seeking::default()));
    match (sought, noted.asked) {
        (Ok(sought), _) => Step::Found(sought),
        (Err(_), Some(args)) => Step::Asks(args),
        (Err(why), None) => Step::Refused(why),
    }
}
