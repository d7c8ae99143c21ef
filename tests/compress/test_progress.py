"""What a stage tells, and who hears it."""

from compress.progress import Display, Progress


class Heard(Display):
    def __init__(self):
        self.heard = []

    def stage_advanced(self, note, done):
        self.heard.append((note, done))

    def said(self, message):
        self.heard.append(message)


def test_figures_follow_the_note():
    display = Heard()
    Progress(display).advance("epoch 1/4", 0.25, loss=6.54321, rows=12345.6)
    assert display.heard == [("epoch 1/4  loss 6.5432  rows 12,345.6", 0.25)]


def test_every_news_is_a_heartbeat():
    beats = []
    progress = Progress().with_heartbeat(lambda: beats.append(1))
    progress.advance("a")
    progress.advance("b")
    assert len(beats) == 2


def test_messages_stay():
    display = Heard()
    Progress(display).say("terms")
    assert display.heard == ["terms"]
