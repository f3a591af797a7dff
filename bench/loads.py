"""Five loads of pure Python, as one text that is a script and a cell. It prints `NAME: SECONDS`, each load's best."""

import json
import time
from collections.abc import Callable

ROUNDS = 3

type Tree = tuple[Tree, Tree] | None


def tree_of(depth: int) -> Tree:
    return (tree_of(depth - 1), tree_of(depth - 1)) if depth else None


def leaves(tree: Tree) -> int:
    return 1 if tree is None else leaves(tree[0]) + leaves(tree[1])


def recursion() -> None:
    for _ in range(18):
        leaves(tree_of(14))


def integer_loop() -> None:
    """No number is above 2**30: with such numbers the time moved by 3 % with what had run before."""
    total = 0
    for number in range(750_000):
        if number % 3:
            total += number * 7 % 1_000


def dict_of_strings() -> None:
    counts: dict[str, int] = {}
    for number in range(250_000):
        word = f"word {number % 5_000}"
        counts[word] = counts.get(word, 0) + 1
    for word in sorted(counts):
        counts[word.upper()] = counts.pop(word)


def json_round_trips() -> None:
    person = {"name": "Ada", "born": 1815, "height": 1.65, "tags": ["a", "b", "ü"], "alive": False, "spouse": None}
    document: object = {"people": [person | {"id": number} for number in range(200)], "page": {"number": 1, "of": 7}}
    for _ in range(140):
        document = json.loads(json.dumps(document))


class Vector:
    def __init__(self, x: float, y: float) -> None:
        self.x = x
        self.y = y

    def plus(self, other: Vector) -> Vector:
        return Vector(self.x + other.x, self.y + other.y)

    def squared(self) -> float:
        return self.x * self.x + self.y * self.y


def small_objects() -> None:
    step = Vector(0.5, -0.5)
    path = [Vector(0, 0)]
    for _ in range(100_000):
        path.append(path[-1].plus(step))
    max(vector.squared() for vector in path)


def seconds(load: Callable[[], None]) -> float:
    begin = time.perf_counter()
    load()
    return time.perf_counter() - begin


LOADS = {
    "recursion": recursion,
    "integer loop": integer_loop,
    "dict of strings": dict_of_strings,
    "JSON": json_round_trips,
    "small objects": small_objects,
}

if __name__ == "__main__":
    for name, load in LOADS.items():
        print(f"{name}: {min(seconds(load) for _ in range(ROUNDS))}")
