"""The report of a run that goes on: when it is written, and that it stops nothing."""

from hpo_app.report.refreshed import RefreshedReport


class Told:
    """A view that remembers what it was told, and a clock that moves only by hand."""

    def __init__(self):
        self.texts, self.now_s, self.took_s, self.reports = [], 0.0, 0.0, []

    def changed(self, event, trial):
        self.texts.append(f"{event} {trial.number}")

    def refresh(self, elapsed_s):
        self.texts.append(elapsed_s)

    def notice(self, text):
        self.texts.append(text)

    def write(self, trials, elapsed_s):
        self.reports.append((sorted(trials), elapsed_s))
        self.now_s += self.took_s


def refreshed(told, every_s):
    return RefreshedReport(told, every_s, told.write, clock=lambda: told.now_s)


def at(told, view, *times):
    for now_s in times:
        told.now_s = now_s
        view.refresh(now_s)


def test_a_report_is_written_at_intervals_and_only_where_there_is_news(make_trial):
    told = Told()
    view = refreshed(told, 60.0)
    view.changed("asked", make_trial(1))
    at(told, view, 59.0, 60.0, 61.0, 121.0)
    view.changed("asked", make_trial(0))
    at(told, view, 122.0)
    assert told.reports == [([1], 60.0), ([0, 1], 122.0)]


def test_what_takes_long_to_write_is_written_less_often(make_trial):
    told = Told()
    told.took_s = 3.0
    view = refreshed(told, 10.0)
    for now_s in (10.0, 100.0, 309.0, 310.0):
        view.changed("reported", make_trial(0))
        at(told, view, now_s)
    assert [at_s for _, at_s in told.reports] == [10.0, 310.0]


def test_none_is_written_where_none_is_wanted(make_trial):
    told = Told()
    view = refreshed(told, None)
    view.changed("asked", make_trial(0))
    at(told, view, 1e9)
    assert told.reports == []


def test_a_report_that_cannot_be_written_reaches_nobody_and_is_tried_again(make_trial, caplog):
    told = Told()

    def fail(trials, elapsed_s):
        told.write(trials, elapsed_s)
        raise OSError("no room")

    view = RefreshedReport(told, 1.0, fail, clock=lambda: told.now_s)
    for now_s in (1.0, 2.0):
        view.changed("asked", make_trial(0))
        at(told, view, now_s)
    assert len(told.reports) == 2
    assert "no room" in caplog.text


def test_the_view_behind_it_is_told_everything(make_trial):
    told = Told()
    view = refreshed(told, 60.0)
    view.changed("asked", make_trial(3))
    view.notice("hear")
    view.refresh(1.0)
    assert told.texts == ["asked 3", "hear", 1.0]
