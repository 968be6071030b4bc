"""Studio: the one object a person holds, here without a screen.

In a notebook it also shows itself: `sfa_kernel.Studio` is `sfa_kernel.panels.Studio`.

>>> studio = Studio.open()                          # doctest: +SKIP
>>> song = studio.add("song.mp3")[0]                # doctest: +SKIP
>>> await studio.run(song)                          # doctest: +SKIP
>>> song.analysis.tempo, song.stems                 # doctest: +SKIP
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self
from uuid import UUID, uuid4

from sfa_kernel import offers, pipeline
from sfa_kernel.catalog import exports, folders, freshness, tracks
from sfa_kernel.catalog.connection import is_question
from sfa_kernel.catalog.jobs import active_of_track
from sfa_kernel.catalog.rows import fetch
from sfa_kernel.cloud import CloudAccount
from sfa_kernel.control.script import Script
from sfa_kernel.decks import Decks
from sfa_kernel.downloads import Downloads
from sfa_kernel.errors import InputError, ParameterError
from sfa_kernel.exporting import TEMPLATE
from sfa_kernel.folders import Folders
from sfa_kernel.jobs import Ground, Runner, cron
from sfa_kernel.jobs.slot import before_exit
from sfa_kernel.library import Imported, Library, Track, Tracks
from sfa_kernel.pipeline.cleanup import CLEANUP, cleanup_request
from sfa_kernel.pipeline.cloud import CLOUD
from sfa_kernel.pipeline.download import DOWNLOAD
from sfa_kernel.pipeline.export import EXPORT, enqueue_export
from sfa_kernel.pipeline.importing import audio_files, import_file
from sfa_kernel.pipeline.intake import IMPORT
from sfa_kernel.pipeline.lookup import LOOKUP
from sfa_kernel.pipeline.playlist_file import PLAYLIST_FILE, playlist_file_request
from sfa_kernel.pipeline.recording import RECORDING
from sfa_kernel.pipeline.render import RENDER, render_request
from sfa_kernel.pipeline.scan import SCAN
from sfa_kernel.pipeline.tools import TOOLS
from sfa_kernel.pipeline.upload import UPLOAD
from sfa_kernel.pipeline.weights import WEIGHTS, weights_request
from sfa_kernel.playlists import Playlists
from sfa_kernel.runs import Jobs, Run
from sfa_kernel.schedule import Schedule
from sfa_kernel.separation.request import Request, request
from sfa_kernel.settings import Settings, load_settings
from sfa_kernel.sources.listed import is_playlist_file
from sfa_kernel.sources.spotify.links import looks_like_link
from sfa_kernel.spotify import Spotify
from sfa_kernel.tables import Table
from sfa_kernel.watching import Watcher
from sfa_kernel.webhooks import WEBHOOK
from sfa_kernel.webhooks.face import Webhooks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sfa_kernel.automix import AutoMix, AutoMixes
    from sfa_kernel.backup import Snapshot
    from sfa_kernel.decks import Deck
    from sfa_kernel.estimates import Estimate
    from sfa_kernel.jobs import JobRequest
    from sfa_kernel.playlists import Playlist
    from sfa_kernel.presets import Presets
    from sfa_kernel.scripts import SavedScript, Scripts
    from sfa_kernel.stemset import StemSet

__all__ = ["Studio"]

# The jobs that a studio can run.
KINDS = {
    **pipeline.KINDS,
    **{
        kind.name: kind
        for kind in (
            CLEANUP,
            CLOUD,
            DOWNLOAD,
            EXPORT,
            IMPORT,
            LOOKUP,
            PLAYLIST_FILE,
            RECORDING,
            RENDER,
            SCAN,
            TOOLS,
            UPLOAD,
            WEBHOOK,
            WEIGHTS,
        )
    },
}


class Studio(Library):
    """A library and everything one can do with it; use `Studio.open`.

    Parameters
    ----------
    settings
        The settings in force.

    Attributes
    ----------
    spotify
        A person's account at Spotify, and what links lead to.
    """

    run_type: ClassVar[type[Run]] = Run
    decks_type: ClassVar[type[Decks]] = Decks

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._decks: Decks | None = None
        self._automixes: AutoMixes | None = None
        self._making = threading.Lock()  # a page and a cell may be the first to want them, both at once
        due = partial(cron.run_due, self.ledger, KINDS)
        self._watcher = Watcher(self.ledger, self.home)
        self._runner = Runner(self.ledger, Ground(self.storage, settings), KINDS, chores=[due])
        self.spotify = Spotify(self, start=self._start)
        self._forget_exit = before_exit(self.close)

    @classmethod
    def open(cls, home: str | os.PathLike[str] | None = None, *, run_jobs: bool | None = None) -> Self:
        """Open the library at ``home``, made when missing; without one, the library of the settings.

        Parameters
        ----------
        home
            The library's folder.
        run_jobs
            Whether this studio runs the jobs it queues; as the settings say when not given.

        Raises
        ------
        SetupError
            When settings, folder or catalogue cannot be used.
        """
        settings = load_settings(home=home)
        studio = cls(settings if run_jobs is None else replace(settings, run_jobs=run_jobs))
        if studio.settings.run_jobs:
            with studio.catalog.read() as connection:
                watched = folders.any_watched(connection)
            if watched:
                studio.work()  # what was put into them meanwhile comes in now
        return studio

    def __repr__(self) -> str:
        return f"Studio({str(self.home)!r}, {len(self.tracks)} tracks)"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop this studio's background work and its events; unfinished jobs wait for the next runner."""
        self._watcher.stop()
        self.spotify.close()
        self._runner.stop()
        self.bus.close()
        self._forget_exit()

    # -- tracks ----------------------------------------------------------------------------------------------

    @property
    def tracks(self) -> Tracks:
        """All tracks, the first added first."""
        return Tracks(self)

    def track(self, track_id: str | UUID) -> Track:
        """One track, by its id or the unambiguous beginning of it.

        Raises
        ------
        NotFoundError
            When there is none.
        """
        with self.catalog.read() as connection:
            return Track(self, tracks.get(connection, tracks.resolve(connection, track_id)))

    def add(
        self,
        *paths: str | os.PathLike[str],
        reference: bool = False,
        download: bool | None = None,
        stages: str | Sequence[str] = (),
    ) -> Any:
        """Bring in files and folders, what playlist files name, or what links of Spotify lead to.

        Originals stay as they are. Of a folder with thousands of songs, `import_folder` does the same in the
        background.

        Parameters
        ----------
        paths
            Files and folders; or playlist files (M3U, M3U8, the XML of rekordbox); or links.
        reference
            Whether the library uses the files where they are, without copies of its own. What browsers do not play is
            copied even then.
        download
            Of links: whether to download the songs that are not here; None for when downloads are switched on.
        stages
            Of links and playlist files: what is done with the songs that come in, some of ``separate``, ``analyze``,
            ``autocue``.

        Returns
        -------
        Imported or Run
            Of files and folders the tracks, with the files that cannot be used in ``.errors``. Of links and playlist
            files, at once, the work that brings them in; it grows by the songs that are found.

        Raises
        ------
        InputError
            When a single file was named and cannot be used, or a link leads to nothing that can be brought in.
        SetupError
            When songs are to be downloaded, and downloads are switched off.

        Examples
        --------
        >>> songs = studio.add("song.mp3", "folder")                                  # doctest: +SKIP
        >>> await studio.add("https://open.spotify.com/playlist/...", download=True)  # doctest: +SKIP
        """
        if "" in paths:  # which would be the folder that the program happens to be in
            raise ParameterError("An empty name is no file, folder or link.", hint="Name one.")
        links = [path for path in paths if isinstance(path, str) and looks_like_link(path)]
        lists = [path for path in paths if path not in links and is_playlist_file(Path(path))]
        if (links or lists) and len(paths) not in (len(links), len(lists)):
            raise ParameterError(
                "Links, playlist files and songs come in one after another.", hint="Add each kind by itself."
            )
        if links:
            return self.spotify.add(*links, download=download, stages=stages)
        if download is not None or (stages and not lists):
            raise ParameterError(
                "What is downloaded, and done with it then, can be said of links.",
                hint="Files are here once they are added: studio.run(...) works on them.",
            )
        if lists:
            names = pipeline.parse_stages(stages) if stages else ()
            wanted = [playlist_file_request(path, reference=reference, stages=names) for path in lists]
            return self._start(wanted, grows=True)
        imported = Imported(self)
        single = len(paths) == 1 and not os.path.isdir(os.path.expanduser(paths[0]))
        for path in audio_files(paths, leave_out=self.home):
            try:
                imported.take(path, import_file(self.catalog, self.storage, path, reference=reference))
            except InputError as error:
                if single:
                    raise
                imported.errors.append((path, str(error)))
        if imported:
            self.bus.publish("library", {"added": [str(track.id) for track in imported]})
        return imported

    def import_folder(
        self,
        path: str | os.PathLike[str],
        *,
        reference: bool = False,
        stages: str | Sequence[str] = (),
        watch: bool = False,
    ) -> Run:
        """Import a folder with all folders in it, in the background; returns at once. See `Folders.add`.

        Parameters
        ----------
        reference
            Whether its songs stay where they are.
        stages
            What is done with its new songs.
        watch
            Whether what is put into it later comes in by itself.

        Raises
        ------
        InputError
            When there is no such folder.
        ParameterError
            When it cannot be imported, or a stage is unknown.
        """
        return self.folders.add(path, watch=watch, reference=reference, stages=stages)

    @property
    def folders(self) -> Folders:
        """The folders that songs are imported from, and those of them that are watched."""
        return Folders(self, start=partial(self._start, grows=True))

    def remove(self, *chosen: Track | str | UUID) -> list[UUID]:
        """Take tracks out of the library and stop their jobs; `restore` brings them back."""
        ids = self._ids(chosen)
        with self.catalog.write() as connection:
            removed = tracks.remove(connection, ids)
            active = [job.id for job in active_of_track(connection, removed)]
        self.ledger.cancel(active)
        self.bus.publish("library", {"removed": [str(i) for i in removed]})
        return removed

    def restore(self, *chosen: Track | str | UUID) -> list[UUID]:
        """Bring removed tracks back."""
        ids = [c.id if isinstance(c, Track) else UUID(str(c)) for c in chosen]
        with self.catalog.write() as connection:
            restored = tracks.restore(connection, ids)
        self.bus.publish("library", {"added": [str(i) for i in restored]})
        return restored

    def _ids(self, chosen: Track | str | UUID | Sequence[Track | str | UUID]) -> list[UUID]:
        # Read now: what is a question itself is not asked within one.
        named = list(chosen) if isinstance(chosen, Iterable) and not isinstance(chosen, str) else [chosen]
        with self.catalog.read() as connection:
            return [one.id if isinstance(one, Track) else tracks.resolve(connection, one) for one in named]

    # -- work ------------------------------------------------------------------------------------------------

    def run(
        self,
        chosen: Track | str | UUID | Sequence[Track | str | UUID] | None = None,
        *,
        stages: str | Sequence[str] = pipeline.STAGES,
        engine: str | None = None,
        model: str | None = None,
        stems: str | Sequence[str] | None = None,
        region: Sequence[float] | None = None,
        settings: Mapping[str, Any] | None = None,
        force: bool = False,
        priority: int = 5,
    ) -> Run:
        """Let stages work on tracks in the background; returns at once.

        Parameters
        ----------
        chosen
            One track or several; all of the library when none is named.
        stages
            Some of ``separate``, ``analyze``, ``autocue``.
        engine, model, stems, region, settings
            How to separate; see `separate`.
        force
            Do again what has been done.
        priority
            0 to 9; lower is sooner.

        Raises
        ------
        ParameterError
            When a stage, engine, model, stem or setting is unknown.
        NotFoundError
            When a track is.
        """
        names = pipeline.parse_stages(stages)
        asked = self._asked(engine, model, stems, region, settings)
        if chosen is None:
            chosen = list(self.tracks)
        if not 0 <= priority <= 9:
            raise ParameterError(f"Priority {priority} is out of range.", hint="Choose 0 (first) to 9 (last).")
        ids = self._ids(chosen)
        batch_id = uuid4()
        with self.catalog.write() as connection:
            jobs = pipeline.enqueue(
                connection,
                self.ledger,
                ids,
                stages=names,
                separation=asked,
                force=force,
                priority=priority,
                batch_id=batch_id,
            )
        self._work_if_wanted()
        return self.run_type(self, [job.id for job in jobs], batch_id=batch_id)

    def _asked(
        self,
        engine: str | None,
        model: str | None,
        stems: str | Sequence[str] | None,
        region: Sequence[float] | None,
        settings: Mapping[str, Any] | None,
    ) -> Request:
        """What to do in a separation; what is not said is as the settings say."""
        name, of_it = offers.chosen(self.settings, engine, model)
        return request(name, model=of_it, stems=stems, region=region, settings=settings)

    def separate(
        self,
        chosen: Track | str | UUID | Sequence[Track | str | UUID] | None = None,
        *,
        engine: str | None = None,
        model: str | None = None,
        stems: str | Sequence[str] | None = None,
        region: Sequence[float] | None = None,
        settings: Mapping[str, Any] | None = None,
        force: bool = False,
        priority: int = 5,
    ) -> Run:
        """Separate tracks into stems in the background; returns at once.

        Parameters
        ----------
        chosen
            One track or several; all of the library when none is named.
        engine, model
            What separates, as ``sfa engines`` lists it; as the settings say when not given.
        stems
            Which stems; the model's usual ones when none are named. What they leave of the mix is "rest".
        region
            Start and end [s]: only a preview of that part, beside the stems that there are.
        settings
            Those of the engine's settings that are not to be as usual.
        force
            Do again what has been done; without it the same request twice is one set.
        priority
            0 to 9; lower is sooner.

        Raises
        ------
        ParameterError
            When an engine, model, stem or setting is unknown.
        NotFoundError
            When a track is.

        Examples
        --------
        >>> await studio.separate(song, engine="demucs", model="htdemucs_ft", stems="vocals")    # doctest: +SKIP
        >>> song.separation.report                                                              # doctest: +SKIP
        """
        return self.run(
            chosen,
            stages="separate",
            engine=engine,
            model=model,
            stems=stems,
            region=region,
            settings=settings,
            force=force,
            priority=priority,
        )

    def estimate(
        self,
        chosen: Track | str | UUID | Sequence[Track | str | UUID] | None = None,
        *,
        engine: str | None = None,
        model: str | None = None,
        stems: str | Sequence[str] | None = None,
        region: Sequence[float] | None = None,
        settings: Mapping[str, Any] | None = None,
        force: bool = False,
    ) -> Estimate:
        """What `separate` would take: time, and minutes that a service bills; the parameters are the same.

        Raises
        ------
        ParameterError
            When an engine, model, stem or setting is unknown.
        NotFoundError
            When a track is.

        Examples
        --------
        >>> studio.estimate(engine="demucs", stems="vocals")                # doctest: +SKIP
        About 12 min for 9 songs, as such separations took here.
        """
        from sfa_kernel.estimates import estimate

        asked = self._asked(engine, model, stems, region, settings)
        ids = self._ids(list(self.tracks) if chosen is None else chosen)
        with self.catalog.read() as connection:
            return estimate(connection, ids, asked, settings=self.settings, force=force)

    def analyze(
        self,
        chosen: Track | str | UUID | Sequence[Track | str | UUID] | None = None,
        *,
        force: bool = False,
        stale: bool = True,
        priority: int = 5,
    ) -> Run:
        """Analyse tracks and find their cues in the background; returns at once.

        Parameters
        ----------
        chosen
            One track or several; all of the library when none is named.
        force
            Analyse again what has been analysed.
        stale
            Whether to do so where an older version of this program did it; see `Studio.stale`.
        priority
            0 to 9; lower is sooner.

        Returns
        -------
        Run
            Of the tracks that need it. It can be watched and awaited; what failed is in its ``failures``, and
            keeps no other track from being analysed.

        Raises
        ------
        NotFoundError
            When a track is unknown.

        Examples
        --------
        >>> (await studio.analyze()).failures     # doctest: +SKIP
        """
        wanted = None if chosen is None else [track.id for track in self._chosen(chosen)]
        if not force:
            with self.catalog.read() as connection:
                due = freshness.never_analyzed(connection)
            due += [track.id for track in self.stale()] if stale else []
            asked = set(due if wanted is None else wanted)
            wanted = [track_id for track_id in due if track_id in asked]
        return self.run(wanted, stages=("analyze", "autocue"), force=force, priority=priority)

    def stale(self) -> list[Track]:
        """The tracks that an older version of this program analysed: `Studio.analyze` brings them up to date."""
        from sfa_kernel.analysis import ANALYSIS_VERSION
        from sfa_kernel.analysis.embedding import EMBEDDING_VERSION

        with self.catalog.read() as connection:
            ids = freshness.stale(connection, analysis=ANALYSIS_VERSION, embedding=EMBEDDING_VERSION)
            return [Track(self, row) for row in tracks.get_many(connection, ids)]

    def _chosen(self, chosen: Track | str | UUID | Sequence[Track | str | UUID] | None) -> list[Track]:
        """Tracks, however they were named; all of them when none is."""
        if chosen is None:
            return list(self.tracks)
        ids = self._ids(chosen)
        with self.catalog.read() as connection:
            return [Track(self, tracks.get(connection, track_id)) for track_id in ids]

    def export(
        self,
        chosen: Track | str | UUID | Sequence[Track | str | UUID],
        *,
        what: str = "stems",
        stem: str | None = None,
        format: str = "",  # noqa: A002 - what everybody calls it
        template: str = TEMPLATE,
        separation: StemSet | None = None,
    ) -> Run:
        """Make a file to take away, in the background; returns at once. `exports` tells where it is.

        Parameters
        ----------
        chosen
            One track, or several: then all go into one archive.
        what
            ``"stems"``: all stems as a zip file with a manifest; ``"stem"``: one of them; ``"stem.mp4"``: a Stems
            file for Traktor and Mixxx; ``"analysis"``: what the analysis found, as JSON.
        stem, format, template
            Which stem, how it is written, and how it is called; see `sfa_kernel.exporting.wish`.
        separation
            The set of stems; the one in use when None.

        Raises
        ------
        NotFoundError
            When a track is unknown, or has not what is wanted.
        ParameterError
            When there is no such export, format or field.
        """
        ids = self._ids(chosen)
        with self.catalog.write() as connection:
            job = enqueue_export(
                connection,
                self.ledger,
                ids,
                what=what,
                stem=stem,
                format=format,
                template=template,
                separation_id=None if separation is None else separation.id,
            )
        self._work_if_wanted()
        return self.run_type(self, [job.id])

    def exports(self, track: Track | str | UUID) -> Table:
        """The files that were made of a track to take away, the newest first: ``name``, ``kind``, ``file``, ``MB``."""
        (track_id,) = self._ids(track)
        with self.catalog.read() as connection:
            rows = exports.of_track(connection, track_id)
        return Table(
            {
                "name": row.name,
                "kind": row.kind,
                "file": str(self.storage.path(row.file)),
                "MB": round(row.bytes / 1e6, 1),
                "made": row.created_at,
            }
            for row in rows
        )

    def work(self, run: Run | None = None) -> None:
        """Run jobs in the background of this process, whoever queues them; or those of one run alone."""
        self._runner.start(only=None if run is None else [*run.batches, *run.ids])
        if run is None:
            self._watcher.start()

    def _work_if_wanted(self) -> None:
        if self.settings.run_jobs:
            self.work()

    def cleanup(self) -> Run:
        """Remove for good what nobody needs any more; returns at once.

        Tracks that were removed and jobs that ended longer ago than the settings keep them, files that belong
        to nothing, and what crashes and unfinished uploads left behind. The schedule does it each night.
        """
        return self._start([cleanup_request()])

    def fetch_weights(self, model: str, *, agreed: bool = False) -> Run:
        """Fetch the weights of a model of Demucs from its makers, for all libraries; returns at once.

        Parameters
        ----------
        model
            Its name, such as ``"htdemucs"``.
        agreed
            Whether a person has read what is said of their licence,
            `sfa_kernel.separation.demucs.weights.LICENCE_NOTE`, and agrees.

        Raises
        ------
        ParameterError
            When there is no such model, or nobody has agreed; the message is what there is to agree to.
        """
        from sfa_kernel.separation.demucs.weights import LICENCE_NOTE

        if not agreed:
            raise ParameterError(LICENCE_NOTE, hint="With agreed=True you agree, and they are fetched.")
        return self._start([weights_request(model)])

    def _start(self, requests: Sequence[JobRequest], *, grows: bool = False) -> Run:
        """Queue jobs as one batch; with ``grows``, what they queue in turn belongs to the run as well."""
        batch_id = uuid4()
        with self.catalog.write() as connection:
            jobs = self.ledger.enqueue_all(connection, [replace(one, batch_id=batch_id) for one in requests])
        self._work_if_wanted()
        if grows:
            # Work that waits or runs already is of an earlier batch: what follows it is found there.
            batches = list(dict.fromkeys(job.batch_id for job in jobs if job.batch_id is not None))
            return self.run_type(self, [job.id for job in jobs], batch_id=batches[0], batches=batches)
        return self.run_type(self, [job.id for job in jobs], batch_id=batch_id)

    def decks(self) -> Decks:
        """Two to four decks and a mixer; the same ones each time. A page that shows them plays them."""
        with self._making:
            if self._decks is None:
                self._decks = self.decks_type(self)
            return self._decks

    def deck(self, number: int) -> Deck:
        """One of the decks, 1 to 4.

        Raises
        ------
        ParameterError
            When there is none of this number.

        Examples
        --------
        >>> deck = studio.deck(1)                               # doctest: +SKIP
        >>> deck.load(track); deck.play(); deck.tempo = 126     # doctest: +SKIP
        """
        return self.decks().deck(number)

    def automix(self, tracks: Playlist | Iterable[Track | str | UUID]) -> AutoMix:
        """Plan a mix that plays by itself: these songs in order, beat-matched where they can be.

        Parameters
        ----------
        tracks
            A playlist, or songs.

        Returns
        -------
        AutoMix
            With ``transitions``, which ``change(number, ...)`` changes, before and while it plays; ``play()``;
            ``script()`` to save or render.

        Raises
        ------
        ParameterError
            When there is no song, or more than 200.
        """
        from sfa_kernel.automix import AutoMix

        chosen = [track if isinstance(track, Track) else self.track(track) for track in tracks]
        return self.automixes.add(AutoMix(self, chosen))

    @property
    def automixes(self) -> AutoMixes:
        """The mixes that were planned last."""
        from sfa_kernel.automix import AutoMixes

        with self._making:
            if self._automixes is None:
                self._automixes = AutoMixes()
            return self._automixes

    @property
    def scripts(self) -> Scripts:
        """Timed changes of the decks' controls, kept under a name."""
        from sfa_kernel.scripts import Scripts

        return Scripts(self)

    @property
    def presets(self) -> Presets:
        """Settings of the decks' controls, kept under a name for whoever sits here."""
        from sfa_kernel.presets import Presets

        return Presets(self)

    def render(
        self,
        script: Script | SavedScript | str | UUID,
        file: str | os.PathLike[str] | None = None,
        *,
        name: str = "",
        format: str = "flac",  # noqa: A002 - what everybody calls it
    ) -> Run:
        """Render a script of the decks faster than it plays, in the background; returns at once.

        It is made by the code that sounds in the page. Songs at the script's sample rate come out as the page plays
        them; others are resampled here and there by different programs, see `sfa_kernel.dj.console`.

        Parameters
        ----------
        script
            A script, or a saved one, its name or its id.
        file
            Where to, ending in ``.wav`` (floats) or ``.flac`` (24 bits); without one it becomes a song of the library.
        name
            What it is called; the saved script's name when there is none.
        format
            Of the song in the library: ``"flac"`` or ``"wav"``.

        Returns
        -------
        Run
            Its ``tracks`` has the song once it is completed.

        Raises
        ------
        NotFoundError
            When there is no such script, or one of its songs is not in the library any more.
        ParameterError
            When there is nothing to render, the format is none of these, or the file is there already.
        """
        if not isinstance(script, Script):
            from sfa_kernel.scripts import SavedScript

            saved = script if isinstance(script, SavedScript) else self.scripts[script]
            script, name = saved.script, name or saved.name
        request = render_request(self.catalog, self.storage, script, name=name or "Mix", file=file, format=format)
        return self._start([request])

    def backup(self, file: str | os.PathLike[str]) -> Snapshot:
        """Put the whole library into one file, while it may be in use; see `sfa_kernel.backup.backup`.

        Raises
        ------
        InputError
            When the file cannot be written, or lies inside the library.
        """
        from sfa_kernel.backup import backup

        return backup(self.home, file, busy_timeout=self.settings.busy_timeout)

    def restore_backup(self, file: str | os.PathLike[str], *, replace: bool = False) -> Snapshot:
        """Make the library what it was when a backup was made; see `sfa_kernel.backup.restore`.

        Parameters
        ----------
        replace
            Whether it may take the place of a library that has tracks.

        Raises
        ------
        InputError
            When the backup is damaged or none of ours, or the library has tracks.
        """
        from sfa_kernel.backup import restore

        return restore(file, self.home, replace=replace, busy_timeout=self.settings.busy_timeout)

    @property
    def engines(self) -> Table:
        """What can separate here: every engine and model, what each makes, whether it is ready, and if not, why."""
        columns = ("engine", "model", "badge", "stems", "ready", "reason")
        return Table({name: row[name] for name in columns} for row in offers.offers(self.storage, self.settings))

    @property
    def schedule(self) -> Schedule:
        """What runs by itself, and when."""
        return Schedule(self, {CLEANUP.name: CLEANUP}, on_queued=self._work_if_wanted)

    @property
    def jobs(self) -> Jobs:
        """The newest jobs."""
        return Jobs(self, on_queued=self._work_if_wanted)

    @property
    def webhooks(self) -> Webhooks:
        """URLs that are told what happens."""
        return Webhooks(self, on_queued=self._work_if_wanted)

    @property
    def playlists(self) -> Playlists:
        """Lists of songs: one's own, imported ones, and smart ones."""
        return Playlists(self)

    @property
    def downloads(self) -> Downloads:
        """Downloads of songs that others name: off until somebody switches them on."""
        return Downloads(self, start=self._start)

    @property
    def lalal(self) -> CloudAccount:
        """The account at lalal.ai: minutes, voices, and a way to stop everything."""
        return CloudAccount(self, start=self._start)

    # -- questions -------------------------------------------------------------------------------------------

    def similar(
        self,
        track: Track | str | UUID,
        *,
        limit: int = 20,
        tempo: tuple[float, float] | None = None,
        octaves: bool = False,
        keys: str = "any",
    ) -> Table:
        """The tracks that sound most like one, the most similar first.

        Parameters
        ----------
        track
            An analysed track.
        limit
            How many rows, 1 to 1000.
        tempo
            Only tracks between these tempi [BPM], both included.
        octaves
            Whether half and double of those tempi will do as well.
        keys
            ``"compatible"``: only keys that mix with the track's: the same, the relative, and one hour away on the
            Camelot wheel. Tracks without a key clash with nothing. ``"any"``: all.

        Returns
        -------
        Table
            Rows with ``track``, ``distance`` (0: sounds the same; above 2: has little in common), ``bpm``,
            ``camelot``, and ``why``: in what the two are alike and in what they differ.

        Raises
        ------
        NotFoundError
            When there is no such track, or it was never analysed.
        ParameterError
            When a filter cannot be met.

        Examples
        --------
        >>> studio.similar(song, tempo=(120, 128), keys="compatible")     # doctest: +SKIP
        """
        from sfa_kernel.similarity import similar

        one = track if isinstance(track, Track) else self.track(track)
        return similar(one, limit=limit, tempo=tempo, octaves=octaves, keys=keys)

    def features(self, chosen: Track | str | UUID | Sequence[Track | str | UUID] | None = None) -> Table:
        """Every number of the analyses that does not change over time: one row a track.

        Columns are named with their units (``bpm``, ``duration_s``, ``true_peak_dbtp``, ``centroid_hz``, ...). What a
        person has put right is in them; a track that was never analysed has its name and length alone.

        Parameters
        ----------
        chosen
            One track or several; all of the library when none is named.

        Raises
        ------
        NotFoundError
            When a track is unknown.
        """
        from sfa_kernel.features import features

        return features(self._chosen(chosen))

    def export_features(
        self,
        file: str | os.PathLike[str],
        chosen: Track | str | UUID | Sequence[Track | str | UUID] | None = None,
        *,
        curves: bool = False,
    ) -> list[Path]:
        """Write `features` to a Parquet, JSON or CSV file, and what changes over time to a second one.

        Parameters
        ----------
        file
            Ends in ``.parquet``, ``.json`` or ``.csv``. A file of that name is replaced once the new one is complete.
        chosen
            One track or several; all of the library when none is named.
        curves
            Whether to write the curves as well: ``songs.parquet`` is joined by ``songs.curves.parquet`` with the
            columns ``track, curve, column, time_s, value``, one row a value.

        Returns
        -------
        list
            The files that were written.

        Raises
        ------
        ParameterError
            When the name ends in something else.
        InputError
            When the file cannot be written.
        NotFoundError
            When a track is unknown.
        """
        from sfa_kernel.features import export

        return export(self._chosen(chosen), file, curves=curves)

    def sql(self, query: str, parameters: Sequence[object] = ()) -> Table:
        """Ask the catalogue in SQL; nothing can be changed that way.

        Raises
        ------
        ParameterError
            When DuckDB does not understand or refuses the query.
        """
        import duckdb

        with self.catalog.read() as connection:
            try:
                if not is_question(connection, query):
                    raise ParameterError("Only one question at a time can be asked, and it must only read.")
                return Table(fetch(connection, query, list(parameters)))
            except duckdb.Error as error:
                raise ParameterError(str(error).strip().splitlines()[0]) from error
