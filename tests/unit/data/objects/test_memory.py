"""The store in memory, which other tests put in a bucket's place, keeps the contract of every store."""

from dataclasses import dataclass, field

import pytest

from builders.stores import MemoryStore, StoreContract


@dataclass
class Memory:
    store: MemoryStore = field(default_factory=MemoryStore)
    root: str = "mem://bucket"

    def put(self, name, content):
        self.store.put(f"{self.root}/{name}", content)

    def remove(self, name):
        self.store.remove(f"{self.root}/{name}")


class TestMemoryStore(StoreContract):
    @pytest.fixture
    def place(self):
        return Memory()
