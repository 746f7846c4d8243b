//! Manifests as bytes. Texts, files and directories that several sets share stand once.

use std::sync::Arc;

use bytes::Bytes;
use ipc_os::InodeStamp;

use crate::bundle::MOST_VALUE;
use crate::codec::{Reader, Writer};
use crate::manifest::{
    Carried, Compare, FileState, LARGEST_CARRIED, Listing, MOST_INPUTS, MOST_SETS, Manifest, Set, Table,
    Vacancy,
};

/// First byte of a manifest.
const MAGIC: u8 = 4;

impl Manifest {
    /// Returns the manifest as bytes, without its oldest sets if it would be too large.
    pub(crate) fn encode(&self) -> Vec<u8> {
        for kept in (0..=self.sets.len()).rev() {
            let bytes = encode(&self.sets[..kept], self.carried.as_ref());
            if bytes.len() <= MOST_VALUE {
                return bytes;
            }
        }
        encode(&[], None)
    }

    /// Reads a manifest; `None` if it is not one.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader(bytes);
        if reader.byte()? != MAGIC {
            return None;
        }
        let texts: Vec<&str> = list(&mut reader, 1, Reader::text)?;
        let text =
            |reader: &mut Reader<'_>| Some((*texts.get(usize::try_from(reader.number()?).ok()?)?).to_owned());
        let files = list(&mut reader, 4, |reader| file(reader, text).map(Arc::new))?;
        let vacancies = list(&mut reader, 3, |reader| {
            let (dir, shows, stamp) = (text(reader)?, flag(reader)?, stamp(reader)?);
            Some(Arc::new(Vacancy { dir, shows, stamp, names: list(reader, 1, text)? }))
        })?;
        let count = reader.count(32)?;
        if count > MOST_SETS {
            return None;
        }
        let mut sets = Vec::new();
        for _ in 0..count {
            sets.push(Set {
                result: reader.key()?,
                voice: option(&mut reader, Reader::key)?,
                is_strict: flag(&mut reader)?,
                files: list(&mut reader, 1, |reader| pick(reader, &files))?,
                aliases: list(&mut reader, 2, pair)?,
                vacancies: list(&mut reader, 1, |reader| pick(reader, &vacancies))?,
                present: list(&mut reader, 1, text)?,
                listings: list(&mut reader, 33, |reader| {
                    Some(Listing { dir: text(reader)?, names: reader.key()? })
                })?,
                compared: list(&mut reader, 1, text)?,
                same_dirs: list(&mut reader, 2, pair)?,
            });
        }
        let carried = option(&mut reader, |reader| {
            let (result, part) = (reader.key()?, reader.bytes()?);
            (part.len() <= LARGEST_CARRIED).then(|| Carried { result, part: Bytes::copy_from_slice(part) })
        })?;
        reader.finish(Self { sets, carried })
    }
}

fn encode(sets: &[Set], carried: Option<&Carried>) -> Vec<u8> {
    let mut texts = Table::<String>::default();
    let mut files = Table::<FileState>::default();
    let mut vacancies = Table::<Vacancy>::default();
    let mut body = Writer::default();
    body.count(sets.len());
    for set in sets {
        body.key(&set.result);
        put_option(&mut body, set.voice.as_ref(), |body, voice| body.key(voice));
        body.0.push(u8::from(set.is_strict));
        put_list(&mut body, &set.files, |body, file| body.count(files.number(file)));
        put_list(&mut body, &set.aliases, put_pair);
        put_list(&mut body, &set.vacancies, |body, vacancy| body.count(vacancies.number(vacancy)));
        put_list(&mut body, &set.present, |body, path| body.count(texts.number(path)));
        put_list(&mut body, &set.listings, |body, listing| {
            body.count(texts.number(&listing.dir));
            body.key(&listing.names);
        });
        put_list(&mut body, &set.compared, |body, dir| body.count(texts.number(dir)));
        put_list(&mut body, &set.same_dirs, put_pair);
    }
    put_option(&mut body, carried, |body, carried| {
        body.key(&carried.result);
        body.bytes(&carried.part);
    });
    let mut tables = Writer::default();
    put_list(&mut tables, &files.values, |tables, file| {
        tables.count(texts.number(&file.path));
        tables.number(file.len);
        tables.number(zigzag(file.modified_ns));
        match &file.compare {
            Compare::Contents(hash) => {
                tables.0.push(0);
                tables.key(hash);
            }
            Compare::Program(None) => tables.0.push(1),
            Compare::Program(Some(hash)) => {
                tables.0.push(2);
                tables.key(hash);
            }
        }
        put_stamp(tables, file.stamp);
    });
    put_list(&mut tables, &vacancies.values, |tables, vacancy| {
        tables.count(texts.number(&vacancy.dir));
        tables.0.push(u8::from(vacancy.shows));
        put_stamp(tables, vacancy.stamp);
        put_list(tables, &vacancy.names, |tables, name| tables.count(texts.number(name)));
    });
    let mut whole = Writer::default();
    whole.0.push(MAGIC);
    put_list(&mut whole, &texts.values, |whole, text| whole.bytes(text.as_bytes()));
    whole.0.extend(tables.0);
    whole.0.extend(body.0);
    whole.0
}

fn put_list<'a, T>(writer: &mut Writer, values: &'a [T], mut put: impl FnMut(&mut Writer, &'a T)) {
    writer.count(values.len());
    for value in values {
        put(writer, value);
    }
}

fn put_option<T>(writer: &mut Writer, value: Option<&T>, put: impl FnOnce(&mut Writer, &T)) {
    writer.0.push(u8::from(value.is_some()));
    if let Some(value) = value {
        put(writer, value);
    }
}

fn put_pair(writer: &mut Writer, (later, earlier): &(usize, usize)) {
    writer.count(*later);
    writer.count(*earlier);
}

fn put_stamp(writer: &mut Writer, stamp: Option<InodeStamp>) {
    put_option(writer, stamp.as_ref(), |writer, stamp| {
        writer.number(stamp.device);
        writer.number(stamp.inode);
        writer.number(stamp.len);
        writer.number(zigzag(stamp.modified_ns));
        writer.number(zigzag(stamp.changed_ns));
    });
}

fn list<'a, T>(
    reader: &mut Reader<'a>,
    least: usize,
    mut take: impl FnMut(&mut Reader<'a>) -> Option<T>,
) -> Option<Vec<T>> {
    let count = reader.count(least)?;
    if count > MOST_INPUTS * MOST_SETS {
        return None;
    }
    (0..count).map(|_| take(reader)).collect()
}

fn option<'a, T>(
    reader: &mut Reader<'a>,
    take: impl FnOnce(&mut Reader<'a>) -> Option<T>,
) -> Option<Option<T>> {
    if flag(reader)? { take(reader).map(Some) } else { Some(None) }
}

fn flag(reader: &mut Reader<'_>) -> Option<bool> {
    match reader.byte()? {
        0 => Some(false),
        1 => Some(true),
        _ => None,
    }
}

fn pair(reader: &mut Reader<'_>) -> Option<(usize, usize)> {
    let mut number = || usize::try_from(reader.number()?).ok();
    Some((number()?, number()?))
}

fn pick<T: Clone>(reader: &mut Reader<'_>, values: &[T]) -> Option<T> {
    values.get(usize::try_from(reader.number()?).ok()?).cloned()
}

fn file<'a>(reader: &mut Reader<'a>, text: impl Fn(&mut Reader<'a>) -> Option<String>) -> Option<FileState> {
    Some(FileState {
        path: text(reader)?,
        len: reader.number()?,
        modified_ns: signed(reader.number()?),
        compare: match reader.byte()? {
            0 => Compare::Contents(reader.key()?),
            1 => Compare::Program(None),
            2 => Compare::Program(Some(reader.key()?)),
            _ => return None,
        },
        stamp: stamp(reader)?,
    })
}

fn stamp(reader: &mut Reader<'_>) -> Option<Option<InodeStamp>> {
    option(reader, |reader| {
        Some(InodeStamp {
            device: reader.number()?,
            inode: reader.number()?,
            len: reader.number()?,
            modified_ns: signed(reader.number()?),
            changed_ns: signed(reader.number()?),
        })
    })
}

/// Small numbers of either sign become small numbers.
const fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

const fn signed(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

/// Folds the inputs of a set into the name of its result. Stamps count only for files without a hash.
pub(crate) fn fold(set: &Set, into: &mut crate::key::Recipe) {
    for file in &set.files {
        into.bytes("file", file.path.as_bytes());
        match &file.compare {
            Compare::Contents(hash) => into.bytes("contents", hash.as_bytes()),
            Compare::Program(Some(hash)) => into.bytes("program", hash.as_bytes()),
            // Nothing else tells it from another file of the same length and time.
            Compare::Program(None) => {
                into.text("program", &format!("{} {} {:?}", file.len, file.modified_ns, file.stamp));
            }
        }
        if set.is_strict {
            into.text("modified", &file.modified_ns.to_string());
        }
    }
    for (later, earlier) in &set.aliases {
        into.text("alias", &format!("{later} {earlier}"));
    }
    into.texts("compared", &set.compared);
    for (later, earlier) in &set.same_dirs {
        into.text("same directory", &format!("{later} {earlier}"));
    }
    for vacancy in &set.vacancies {
        into.bytes("vacancy", vacancy.dir.as_bytes());
        into.texts("name", &vacancy.names);
    }
    into.texts("present", &set.present);
    for listing in &set.listings {
        into.bytes("listing", listing.dir.as_bytes());
        into.bytes("names", listing.names.as_bytes());
    }
    into.bytes("voice", set.voice.as_ref().map_or(&[][..], |voice| voice.as_bytes()));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::Key;

    fn sample() -> Manifest {
        let stamp = InodeStamp { device: 1, inode: 300, len: 5, modified_ns: -1, changed_ns: i64::MAX };
        let file = |path: &str, compare, stamp| {
            let path = path.to_owned();
            Arc::new(FileState { path, len: 5, modified_ns: i64::MIN, compare, stamp })
        };
        let set = |number: u8| Set {
            result: Key::of_contents(&[number]),
            voice: (number == 1).then(|| Key::of_contents(b"voice")),
            is_strict: number == 2,
            files: vec![
                file("a.c", Compare::Contents(Key::of_contents(b"a")), Some(stamp)),
                file(&format!("b{number}.h"), Compare::Program(None), None),
                file("cc1", Compare::Program(Some(Key::of_contents(b"cc1"))), Some(stamp)),
            ],
            aliases: vec![(1, 0)],
            vacancies: vec![Arc::new(Vacancy {
                dir: "inc".into(),
                shows: true,
                names: vec!["a.h".into(), "a.h.gch".into()],
                stamp: Some(stamp),
            })],
            present: vec!["opt.h".into()],
            listings: vec![Listing { dir: "/usr/lib/gcc".into(), names: Key::of_contents(b"12") }],
            compared: vec!["inc".into(), "/usr/include".into()],
            same_dirs: vec![(1, 0)],
        };
        let carried = Carried { result: Key::of_contents(&[2]), part: Bytes::from_static(b"part") };
        Manifest { sets: vec![set(1), set(2)], carried: Some(carried) }
    }

    #[test]
    fn a_manifest_is_read_back() {
        let manifest = sample();
        assert_eq!(Manifest::decode(&manifest.encode()), Some(manifest));
        assert_eq!(Manifest::decode(&Manifest::default().encode()), Some(Manifest::default()));
    }

    #[test]
    fn cut_and_broken_bytes_are_no_manifest_or_another_one_and_never_a_panic() {
        let bytes = sample().encode();
        for at in 0..bytes.len() {
            assert_eq!(Manifest::decode(&bytes[..at]), None, "cut at {at}");
            for flip in [0x01, 0x80, 0xff] {
                let mut broken = bytes.clone();
                broken[at] ^= flip;
                let _ = Manifest::decode(&broken);
            }
        }
        let mut longer = bytes;
        longer.push(0);
        assert_eq!(Manifest::decode(&longer), None);
    }

    #[test]
    fn an_older_set_of_the_same_result_is_replaced() {
        let mut manifest = sample();
        let again = manifest.sets[1].clone();
        manifest.add(again.clone());
        assert_eq!(manifest.sets.len(), 2);
        assert_eq!(manifest.sets[0], again);
    }

    #[test]
    fn a_carried_result_moves_out_when_another_one_is_carried() {
        let mut manifest = sample();
        let (one, two) = (manifest.sets[0].result, manifest.sets[1].result);
        assert_eq!(manifest.carried(&two).as_deref(), Some(&b"part"[..]));
        assert_eq!(manifest.carried(&one), None);
        let carried = |result| Some(Carried { result, part: Bytes::from_static(b"new") });
        assert_eq!(manifest.carry(carried(two)), None, "the same result again");
        let moved = manifest.carry(carried(one)).unwrap();
        assert_eq!((moved.result, manifest.carried(&two)), (two, None));
        manifest.sets.remove(0);
        assert_eq!(manifest.carry(None), None, "its set has gone");
    }

    #[test]
    fn signed_numbers_are_read_back() {
        for value in [0, 1, -1, i64::MIN, i64::MAX] {
            assert_eq!(signed(zigzag(value)), value);
        }
    }
}
