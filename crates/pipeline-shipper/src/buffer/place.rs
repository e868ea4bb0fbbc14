//! Where a buffer is: a folder with a file, which is locked.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Read as _, Seek as _, SeekFrom},
    path::{Path, PathBuf},
};

use redb::{StorageBackend, backends::FileBackend};

use super::{error::Reason, store::Store};

/// The file in the folder.
pub(super) const FILE: &str = "buffer.redb";
/// The name that it has while it is made.
const NEW: &str = "buffer.redb.new";

/// What a file of redb begins with. It is written last when one is made.
const MAGIC: &[u8] = b"redb\x1a\x0a\xa9\x0d\x0a";

/// A file that is open, and locked for as long as one of the handles lives.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) path: PathBuf,
    pub(super) file: File,
}

impl Place {
    /// Opens the file of a folder. Makes both if need be and `make` says so.
    pub(super) fn open(folder: &Path, make: bool) -> Result<Self, Reason> {
        match fs::metadata(folder) {
            Ok(found) if !found.is_dir() => return Err(Reason::NotAFolder),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound && make => make_folder(folder)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(Reason::NotThere),
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
                return Err(Reason::NotAFolder);
            }
            Err(error) => return Err(error.into()),
        }
        let path = folder.join(FILE);
        if !make {
            return Self::open_file(path);
        }
        if is_there(&path)? {
            let place = Self::open_file(path)?;
            // Whoever made it may have come to its end before.
            place.sync_folder()?;
            return Ok(place);
        }
        // Under its name there is a whole database or nothing, whenever the machine fails.
        let new = folder.join(NEW);
        if fs::symlink_metadata(&new).is_ok_and(|found| !found.is_file()) {
            return Err(Reason::NotAFile);
        }
        let file = options().create(true).open(&new)?;
        let place = Self::lock(new, file)?;
        if is_there(&path)? {
            // Another process was faster.
            return Self::open_file(path);
        }
        place.file.set_len(0)?;
        drop(Store::open(place.backend()?, false)?);
        place.put_in_place(path)
    }

    fn open_file(path: PathBuf) -> Result<Self, Reason> {
        if !is_there(&path)? {
            return Err(Reason::NotThere);
        }
        let file = options().open(&path)?;
        Self::lock(path, file)
    }

    #[allow(clippy::incompatible_msrv, reason = "redb needs a newer one as well")]
    fn lock(path: PathBuf, file: File) -> Result<Self, Reason> {
        match file.try_lock() {
            Ok(()) => Ok(Self { path, file }),
            Err(TryLockError::WouldBlock) => Err(Reason::InUse),
            Err(TryLockError::Error(error)) => Err(Reason::NoLock(error.into())),
        }
    }

    /// A new file in a folder, which must not be there yet.
    pub(super) fn make(path: PathBuf) -> Result<Self, Reason> {
        let file = options().create_new(true).open(&path)?;
        Self::lock(path, file)
    }

    /// Gives the file another name, for good.
    pub(super) fn put_in_place(mut self, path: PathBuf) -> Result<Self, Reason> {
        fs::rename(&self.path, &path)?;
        self.path = path;
        self.sync_folder()?;
        Ok(self)
    }

    /// Looks at the beginning, so that nothing is changed in a file of somebody else.
    pub(super) fn identify(&mut self) -> Result<(), Reason> {
        let mut head = Vec::new();
        self.file.seek(SeekFrom::Start(0))?;
        let mut beginning = (&mut self.file).take(MAGIC.len() as u64);
        beginning.read_to_end(&mut head)?;
        if head == MAGIC {
            return Ok(());
        }
        // It was put in place when it was whole.
        if head.iter().all(|byte| *byte == 0) {
            return Err(Reason::Damaged("its beginning is empty".to_owned()));
        }
        Err(Reason::Foreign("it begins with something else".to_owned()))
    }

    pub(super) fn backend(&self) -> Result<Disk, Reason> {
        let file = self.file.try_clone()?;
        Ok(Disk(FileBackend::new(file).map_err(Reason::of)?))
    }

    /// A new name is on the disk only after this.
    pub(super) fn sync_folder(&self) -> Result<(), Reason> {
        match self.path.parent() {
            Some(folder) if cfg!(unix) => Ok(File::open(folder)?.sync_all()?),
            _ => Ok(()),
        }
    }
}

/// As the others of the program: for the owner only, since records may hold secrets.
fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

fn make_folder(folder: &Path) -> Result<(), Reason> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(folder) {
        // Another process was faster, or it is a link that leads nowhere.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && !folder.is_dir() => {
            return Err(Reason::NotAFolder);
        }
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error.into()),
        _ => {}
    }
    match folder.parent() {
        Some(above) if cfg!(unix) && !above.as_os_str().is_empty() => {
            Ok(File::open(above)?.sync_all()?)
        }
        _ => Ok(()),
    }
}

/// Whether a regular file is there. A FIFO would wait for a writer, and a link leads to who knows what.
fn is_there(path: &Path) -> Result<bool, Reason> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_file() => Ok(true),
        Ok(_) => Err(Reason::NotAFile),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// The file without the locks that redb would take: [`Place`] has one.
#[derive(Debug)]
pub(super) struct Disk(FileBackend);

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.0.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.0.write(offset, data)
    }
}
