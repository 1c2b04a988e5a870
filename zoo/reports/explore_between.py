"""The panel of ``zoo explore`` with the way between two codes."""

from __future__ import annotations

from typing import Any

from zoo.reports import pictures
from zoo.reports.explore import FRAMES, STEPS, newest
from zoo.reports.explore_visit import Visit, url


class Between:
    """Pictures from one code to another.

    Args:
        visit: whose.
    """

    def __init__(self, visit: Visit):
        self._visit = visit
        self.show = newest(self._show)

    def lay_out(self) -> None:
        """The pictures, and how they are gone through."""
        visit, walk = self._visit, self._visit.walk
        with visit.panel("Between two codes", "Click a picture to go there."):
            visit.html(f'<img id="strip" alt="from one code to the other" '
                       f'data-cells="{STEPS} 1" hidden>')  # fmt: skip
            visit.ui.toggle(
                {False: "linear", True: "spherical"},
                value=walk.spherical,
                on_change=self._on_spherical,
            ).props("dense no-caps unelevated").classes("toggle")
            visit.buttons(
                From_here=lambda: self._end(0),
                To_here=lambda: self._end(1),
                Python=lambda: visit.tell(visit.python.between(walk)),
                PNG=lambda: visit.save("between", walk.between),
                GIF=self._on_gif,
            )

    def code(self, place: int) -> Any:
        """The code of one of the pictures."""
        walk = self._visit.walk
        return self._visit.space.way(*walk.ends, STEPS, walk.spherical)[place]

    async def _show(self) -> None:
        await self._visit.images(lambda: {"strip": url(*self._visit.walk.between())})

    async def _on_spherical(self, event: Any) -> None:
        self._visit.walk.spherical = bool(event.value)
        await self.show()

    async def _end(self, which: int) -> None:
        walk = self._visit.walk
        here, (start, end) = walk.z.copy(), walk.ends
        walk.ends = (start, here) if which else (here, end)
        await self.show()

    async def _on_gif(self) -> None:
        def made() -> bytes:
            frames = [pictures.grid(x[None], padding=0) for x in self._visit.walk.between(FRAMES)]
            return pictures.gif([*frames, *frames[-2:0:-1]], 80, pause=1)

        content = await self._visit.compute(made)
        if content is not None:
            self._visit.download(content, "between.gif")
