from builders.reports import HOSTILE, parsed, shapes, tips, words
from gauntlet.reports.flow import Edge, Node, flow


def test_each_task_shows_its_name_its_status_and_its_link():
    nodes = [Node("a", "train-model", "succeeded", "3 min 04 s", "r/train.html"), Node("b", "gate", "fail", "fail")]
    drawing = flow(nodes, [Edge("a", "b")])
    assert {"train-model", "3 min 04 s", "gate", "fail"} <= set(words(drawing))
    assert "train-model – succeeded" in tips(drawing)
    (link,) = shapes(drawing, "a")
    assert link.get("href") == "r/train.html"
    assert len(shapes(drawing, "path", "edge")) == 1


def test_statuses_have_pictures_of_their_own():
    pictures = set()
    for status in ("pass", "fail", "inconclusive", "error", "reused", "skipped"):
        (picture,) = shapes(flow([Node("a", "a", status)], []), "path", "glyph-line")
        pictures.add(picture.get("d"))
    assert len(pictures) == 6


def test_names_are_escaped_and_shortened():
    drawing = flow([Node("a", HOSTILE * 3, "pass", HOSTILE, "javascript:alert(1)", HOSTILE)], [])
    assert "<script" not in drawing
    assert "javascript" not in drawing
    assert any("…" in text for text in words(drawing))


def test_no_tasks_are_an_empty_drawing():
    parsed(flow([], []))


def test_the_same_graph_gives_the_same_drawing():
    nodes = [Node(str(i), f"task {i}", "pass") for i in range(12)]
    edges = [Edge(str(i), str(j)) for i in range(12) for j in range(i + 1, 12) if (i * 7 + j) % 3 == 0]
    assert flow(nodes, edges) == flow(nodes, edges)
