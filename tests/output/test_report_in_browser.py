"""Pages as a browser shows them: a real Chromium, opened from a file as a colleague would."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from tests.browser import Visit, open_browser
from tests.output.moment_reports import make_dense, make_found, make_things, make_track
from tests.output.reports import HOSTILE, SPEECH, make_page, write_report
from vidcli.output.dense import dense_document
from vidcli.output.moments import moments_document
from vidcli.output.report.adapters import page_of
from vidcli.output.report.index import make_index
from vidcli.output.report.page import Clue, Mark, Page, Still, Track, TrackKind
from vidcli.output.report.render import render_page

PHONE = {"viewport": {"width": 360, "height": 740}}
DESKTOP = {"viewport": {"width": 1440, "height": 900}}
LONG = "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichen" * 3


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page with everything on it, beside its video and the subtitles of that."""
    folder = tmp_path_factory.mktemp("report")
    (folder / "ball-and-star.en.srt").write_text(SPEECH)
    return write_report(folder, make_page())


@pytest.fixture(scope="module")
def orphan(report: Path) -> Path:
    """A page whose video is gone."""
    path = report.parent / "elsewhere" / "r.html"
    path.parent.mkdir()
    path.write_bytes(report.read_bytes())
    return path


# What it loads, and what cannot run


def test_nothing_but_the_page_and_its_video_is_asked_for(browser: Browser, report: Path):
    with Visit(browser, report, **DESKTOP) as visit:
        visit.wait_for_video()
        assert set(visit.requests) == {
            report.as_uri(),
            (report.parent / "ball-and-star.mp4").as_uri(),
        }
        assert visit.errors == visit.complaints == []


def test_the_policy_refuses_what_a_page_could_ask_the_network_for(browser: Browser, report: Path):
    attempts = (
        "fetch('http://127.0.0.1:9/x')",
        "new Promise((_, no) => { const i = new Image(); i.onerror = () => no(Error('no')); "
        "i.src = 'http://127.0.0.1:9/x.png'; })",
        "new Promise((_, no) => { const s = document.createElement('script'); "
        "s.onerror = () => no(Error('no')); s.src = 'http://127.0.0.1:9/x.js'; "
        "document.head.append(s); })",
    )
    with Visit(browser, report) as visit:
        visit.run("document.addEventListener('securitypolicyviolation', "
                  "e => (window.refused ||= []).push(e.effectiveDirective))")  # fmt: skip
        for attempt in attempts:
            assert visit.run(f"{attempt}.then(() => 'went through', () => 'refused')") == "refused"
        refused = visit.run("window.refused")
        assert refused == ["connect-src", "img-src", "script-src-elem"]


def test_hostile_text_is_shown_and_does_nothing(browser: Browser, tmp_path: Path):
    marks = (Mark(0, 5, HOSTILE), Mark(5, 10, HOSTILE))
    page = make_page(
        title=HOSTILE,
        answer=HOSTILE,
        clues=(Clue(1, 2, HOSTILE, HOSTILE),),
        warnings=(HOSTILE,),
        stills=(Still(1, HOSTILE, text=HOSTILE),),
        tracks=tuple(Track(kind, HOSTILE, marks, HOSTILE, HOSTILE) for kind in TrackKind),
    )
    name = HOSTILE.replace("/", "|")
    with Visit(browser, write_report(tmp_path, page, video=f"{name}.mp4")) as visit:
        visit.wait_for_video()
        assert visit.run("window.hit") is None
        assert visit.errors == visit.complaints == []
        assert visit.page.locator("h1").text_content() == HOSTILE
        assert visit.page.locator("img[src=x]").count() == 0
        assert visit.page.locator("script").count() == 1
        visit.page.locator("#timeline").press("PageDown")
        assert HOSTILE in (visit.page.locator("[data-here]").first.text_content() or "")
        assert visit.run("window.hit") is None


@pytest.mark.parametrize(
    "name",
    ["new\nline.mp4", "quo\"te's.mp4", "100%25.mp4", "a#b?c.mp4", "a:b.mp4", "día ☃.mp4"],
)
def test_a_video_of_any_name_plays(browser: Browser, tmp_path: Path, name: str):
    with Visit(browser, write_report(tmp_path, make_page(video=name), video=name)) as visit:
        visit.wait_for_video()
        assert visit.run("document.getElementById('video').duration") == pytest.approx(10, abs=0.1)


# Going to a time


def test_evidence_and_storyboard_jump_the_video_to_their_time(browser: Browser, report: Path):
    with Visit(browser, report, **DESKTOP) as visit:
        visit.wait_for_video()
        for link, time in ((".clues a >> nth=0", 5.0), (".stills a >> nth=2", 0.4 + 20 / 12)):
            visit.page.locator(link).click()
            visit.wait_until(
                f"Math.abs(document.getElementById('video').currentTime - {time}) < 0.05"
            )
            shown = visit.page.locator("#timeline").get_attribute("aria-valuenow")
            assert float(shown or -1) == pytest.approx(time, abs=0.05)
        assert visit.page.url == report.as_uri()


def test_arrow_keys_move_through_the_video_and_page_keys_from_mark_to_mark(
    browser: Browser, report: Path
):
    def now() -> float:
        return float(timeline.get_attribute("aria-valuenow") or -1)

    with Visit(browser, report, **DESKTOP) as visit:
        visit.wait_for_video()
        timeline = visit.page.locator("#timeline")
        step = float(timeline.get_attribute("data-step") or 0)
        expected = (
            ("ArrowRight", step),
            ("ArrowUp", 2 * step),
            ("ArrowLeft", step),
            ("End", 10),
            ("ArrowRight", 10),
            ("Home", 0),
            ("ArrowDown", 0),
            ("PageDown", 0.4),
            ("PageDown", 0.5),  # speech
            ("PageUp", 0.4),
        )
        for key, time in expected:
            timeline.press(key)
            assert now() == pytest.approx(time, abs=0.002), key
        assert timeline.get_attribute("aria-valuetext") == "0:00.4"
        visit.wait_until("Math.abs(document.getElementById('video').currentTime - 0.4) < 0.05")


def test_a_click_on_the_timeline_goes_there_and_says_what_is_there(browser: Browser, report: Path):
    with Visit(browser, report, **DESKTOP) as visit:
        visit.wait_for_video()
        box = visit.page.locator("#timeline").bounding_box()
        assert box is not None
        visit.page.mouse.click(box["x"] + 0.9 * box["width"], box["y"] + 30)
        visit.wait_until("Math.abs(document.getElementById('video').currentTime - 9) < 0.05")
        here = visit.page.locator(".here").inner_text()
        assert "0:09.0" in here
        assert "END" in here


def test_playing_moves_the_timeline(browser: Browser, report: Path):
    with Visit(browser, report, **DESKTOP) as visit:
        visit.wait_for_video()
        visit.run("void (document.getElementById('video').muted = true, "
                  "document.getElementById('video').play())")  # fmt: skip
        visit.wait_until(
            "Number(document.getElementById('timeline').getAttribute('aria-valuenow')) > 0.2"
        )


def test_every_control_can_be_reached_with_tab_and_shows_that_it_has_the_focus(
    browser: Browser, report: Path
):
    with Visit(browser, report, **DESKTOP) as visit:
        visit.wait_for_video()
        wanted = visit.run(
            "document.querySelectorAll('a[href], button, summary, video, [tabindex=\"0\"]').length"
        )
        reached = set()
        for _ in range(3 * wanted):
            visit.page.keyboard.press("Tab")
            name, outline = visit.run(
                "(() => { const e = document.activeElement; const all = [...document."
                "querySelectorAll('*')]; return [e === document.body ? -1 : all.indexOf(e), "
                "parseFloat(getComputedStyle(e).outlineWidth)]; })()"
            )
            if name == -1:
                break
            reached.add(name)
            assert outline >= 2
        assert len(reached) == wanted


# Without the video, without scripts


def test_without_its_video_a_page_says_so_and_shows_its_pictures(browser: Browser, orphan: Path):
    with Visit(browser, orphan, **DESKTOP) as visit:
        visit.page.locator("#fallback").wait_for(state="visible")
        assert not visit.page.locator("#video").is_visible()
        assert "ball-and-star.mp4" in visit.page.locator("#fallback").inner_text()
        visit.page.locator(".clues a").first.click()
        wanted = visit.page.locator(".stills img").nth(6)  # 5.4 s is nearest to 5.0 s
        still = visit.page.locator("#still")
        assert still.get_attribute("src") == wanted.get_attribute("src")
        assert still.get_attribute("alt") == wanted.get_attribute("alt") != ""
        assert visit.errors == []


def test_a_file_the_browser_cannot_play_is_told_of_too(browser: Browser, tmp_path: Path):
    path = write_report(tmp_path, make_page())
    (tmp_path / "ball-and-star.mp4").write_bytes(b"no video at all")
    with Visit(browser, path) as visit:
        visit.page.locator("#fallback").wait_for(state="visible")
        assert visit.page.locator("#still").is_visible()


def test_without_scripts_everything_is_there_and_links_name_their_times(
    browser: Browser, report: Path
):
    with Visit(browser, report, java_script_enabled=False) as visit:
        link = visit.page.locator(".clues a").first
        assert link.get_attribute("href") == "ball-and-star.mp4#t=5.0"
        assert visit.page.locator(".stills img").count() == 12
        assert not visit.page.locator("#theme").is_visible()


# Captions


def test_what_is_said_is_a_captions_track_and_what_is_shown_another(browser: Browser, report: Path):
    with Visit(browser, report) as visit:
        visit.wait_for_video()
        tracks = "[...document.getElementById('video').textTracks]"
        assert visit.run(f"{tracks}.map(t => [t.kind, t.label, t.language, t.mode])") == [
            ["subtitles", "Events", "en", "disabled"],
            ["captions", "Speech", "en", "showing"],
        ]
        visit.wait_until(f"{tracks}[1].cues?.length === 2")
        assert visit.run(f"[...{tracks}[1].cues].map(c => [c.startTime, c.endTime, c.text])") == [
            [0.5, 3.0, "Here comes the ball &amp; it rolls."],
            [5.2, 9.0, "And then a star appears."],
        ]
        assert visit.run(f"{tracks}[1].cues[0].getCueAsHTML().textContent") == (
            "Here comes the ball & it rolls."
        )


# How it looks


@pytest.mark.parametrize("width", [320, 360, 768, 1440])
def test_no_width_needs_scrolling_sideways(browser: Browser, tmp_path: Path, width: int):
    marks = (Mark(0, 5, LONG), Mark(5, 10, LONG))
    page = make_page(
        title=LONG,
        answer=LONG,
        video=f"{LONG[:100]}.mp4",
        clues=(Clue(0, 1, LONG, LONG),),
        warnings=(LONG,),
        tracks=(Track(TrackKind.EVENTS, LONG[:40], marks, LONG),),
    )
    path = write_report(tmp_path, page)
    with Visit(browser, path, viewport={"width": width, "height": 740}) as visit:
        visit.wait_for_video()
        assert visit.run("document.documentElement.scrollWidth") <= width
        assert visit.run("document.scrollingElement.scrollWidth") <= width


def test_on_a_phone_the_video_stays_in_sight(browser: Browser, report: Path):
    with Visit(browser, report, **PHONE, has_touch=True) as visit:
        visit.wait_for_video()
        visit.page.locator(".stills a").last.tap()
        visit.wait_until("document.getElementById('video').currentTime > 9")
        box = visit.page.locator("#video").bounding_box()
        assert box is not None
        assert 0 <= box["y"] <= 740 - box["height"]


def test_dark_is_followed_and_the_button_turns_it(browser: Browser, report: Path):
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    light, dark = "rgb(250, 249, 246)", "rgb(20, 21, 23)"
    for scheme, first, second in (("light", light, dark), ("dark", dark, light)):
        with Visit(browser, report, color_scheme=scheme) as visit:
            button = visit.page.locator("#theme")
            assert visit.run(ground) == first
            assert button.get_attribute("aria-pressed") == str(first == dark).lower()
            button.click()
            assert visit.run(ground) == second
            assert button.get_attribute("aria-pressed") == str(second == dark).lower()
            visit.page.reload()
            assert visit.run(ground) == second


def test_motion_is_left_out_where_it_is_not_wanted(browser: Browser, report: Path):
    script = "getComputedStyle(document.documentElement).scrollBehavior"
    for wish, behaviour in (("reduce", "auto"), ("no-preference", "smooth")):
        with Visit(browser, report, reduced_motion=wish) as visit:
            assert visit.run(script) == behaviour


def test_printed_it_is_light_and_whole_without_what_only_a_screen_can_do(
    browser: Browser, tmp_path: Path
):
    many = tuple(Mark(n / 10, n / 10 + 0.1, f"word {n}") for n in range(99))
    page = make_page(tracks=(Track(TrackKind.SPEECH, "Speech", many),))
    with Visit(browser, write_report(tmp_path, page), color_scheme="dark") as visit:
        assert not visit.page.get_by_text("word 98").last.is_visible()
        visit.page.emulate_media(media="print")
        visit.run("dispatchEvent(new Event('beforeprint'))")
        assert visit.page.get_by_text("word 98").last.is_visible()
        assert not visit.page.locator("#stage").is_visible()
        assert visit.run("getComputedStyle(document.documentElement).backgroundColor") == (
            "rgb(255, 255, 255)"
        )
        visit.run("dispatchEvent(new Event('afterprint'))")
        assert visit.run("document.querySelectorAll('details[open]').length") == 0


# What find and dense make


def found_page() -> Page:
    """Two moments of the demo, through one of which two things were followed."""
    cats = [make_track((0.2, 0.0, 0.9), (0.8, 0.5, 0.8)), make_track((0.2, 0.6, 0.7))]
    found = replace(make_found(), query="a ball rolls", things=make_things(cats, []))
    page = page_of(moments_document(found, window_s=1.0, step_s=1.0), command="find")
    return replace(page, video="ball-and-star.mp4", end_s=4.0)


def dense_page() -> Page:
    """Events of all lengths, with texts that do not fit."""
    made = dense_document(make_dense(), bins=[(0, 49)], sequence="", spoken=[(49, 99)], said="")
    edges = (0, 0.1, 0.5, 1.2, 2, 3, 3.3, 6, 10)
    events = [
        {
            "start_s": start,
            "end_s": end,
            "bins": [0, 0],
            "text": "A yellow star comes in, stays.",
        }
        for start, end in itertools.pairwise(edges)
    ]
    page = page_of({**made, "events": events}, command="dense")
    return replace(page, video="ball-and-star.mp4", end_s=10.0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
@pytest.mark.parametrize("make", [found_page, dense_page])
def test_pages_of_find_and_dense_are_whole_and_legible(
    browser: Browser,
    tmp_path: Path,
    make: Callable[[], Page],
    scheme: str,
    size: dict[str, dict[str, int]],
):
    with Visit(browser, write_report(tmp_path, make()), color_scheme=scheme, **size) as visit:
        visit.wait_for_video()
        assert visit.errors == visit.complaints == []
        assert visit.run("document.documentElement.scrollWidth") <= size["viewport"]["width"]
        texts = visit.page.locator(".mark text:visible")
        assert texts.count() > 0
        for text in texts.all():
            box, mark = text.bounding_box(), text.locator("xpath=..").bounding_box()
            assert box is not None
            assert mark is not None
            assert box["x"] + box["width"] <= mark["x"] + mark["width"]
        found = Axe().run(visit.page)
        assert found.violations_count == 0, found.generate_report()


def test_boxes_are_drawn_into_the_picture_of_their_frame_only(browser: Browser, tmp_path: Path):
    page = found_page()
    bare = tuple(replace(still, boxes=()) for still in page.stills)
    with Visit(browser, write_report(tmp_path, page), **DESKTOP) as visit:
        pictures = visit.run("[...document.querySelectorAll('.stills img')].map(i => i.src)")
        alts = visit.run("[...document.querySelectorAll('.stills img')].map(i => i.alt)")
        assert visit.page.locator(".k-things .mark").count() == 1
        visit.page.locator(".clues a", has_text="cat").first.click()
        visit.wait_until("Math.abs(document.getElementById('video').currentTime - 0.2) < 0.05")
    plain = write_report(tmp_path, replace(page, stills=bare), name="plain")
    with Visit(browser, plain, **DESKTOP) as visit:
        others = visit.run("[...document.querySelectorAll('.stills img')].map(i => i.src)")
    differ = [one != other for one, other in zip(pictures, others, strict=True)]
    assert differ == [bool(still.boxes) for still in page.stills]
    assert [alt for alt, is_boxed in zip(alts, differ, strict=True) if is_boxed] == [
        "Frame at 0:00.2: boxes around cat, cat"
    ]


# For everybody


def test_pictures_say_what_they_show_and_parts_have_names(browser: Browser, report: Path):
    with Visit(browser, report) as visit:
        alts = visit.run("[...document.querySelectorAll('.stills img')].map(i => i.alt)")
        assert alts[0] == "Frame at 0:00.4: A ball rolls."
        assert len(set(alts)) == 12
        for landmark in ("header", "main", "footer"):
            assert visit.page.locator(f"body > {landmark}").count() == 1
        assert visit.page.locator("h1").count() == 1
        unnamed = "section:not([aria-label]):not([aria-labelledby])"
        assert visit.page.locator(unnamed).count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_axe_finds_nothing(
    browser: Browser, report: Path, orphan: Path, scheme: str, size: dict[str, dict[str, int]]
):
    (report.parent / "index.html").write_bytes(make_index(report.parent))
    for path in (report, orphan, report.parent / "index.html"):
        with Visit(browser, path, color_scheme=scheme, **size) as visit:
            if path == orphan:
                visit.page.locator("#fallback").wait_for(state="visible")
            found = Axe().run(visit.page)
            assert found.violations_count == 0, found.generate_report()


def test_axe_would_find_something(browser: Browser, tmp_path: Path):
    html = render_page(make_page()).decode().replace('aria-label="Time in the video"', "")
    (tmp_path / "r.html").write_text(html)
    with Visit(browser, tmp_path / "r.html") as visit:
        assert Axe().run(visit.page).violations_count > 0


def test_an_index_leads_to_its_pages(browser: Browser, report: Path):
    path = report.parent / "index.html"
    path.write_bytes(make_index(report.parent))
    with Visit(browser, path, **PHONE) as visit:
        assert visit.run("document.documentElement.scrollWidth") <= 360
        visit.page.locator(".cards a").last.click()
        visit.page.wait_for_url(report.as_uri())
        assert visit.errors == []
