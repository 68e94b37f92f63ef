"""Effects carried out by threads of this process; their rows alone say what is to be done."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from windlass.engine.effects.desk import EffectDesk
from windlass.engine.effects.tries import carry_out

if TYPE_CHECKING:
    from collections.abc import Mapping

    from windlass.db.connections import Store
    from windlass.engine.effects.desk import Rules
    from windlass.engine.effects.interface import Effect, Handler


class ThreadedEffects:
    """See `windlass.engine.effects.interface.Effects`."""

    def __init__(self, store: Store, handlers: Mapping[str, Handler], rules: Rules) -> None:
        self._handlers = dict(handlers)
        self._desk = EffectDesk(store, self._handlers, self._begin, rules)
        self.start = self._desk.start
        self.wake = self._desk.wake
        self.stop = self._desk.stop
        self.forget = self._desk.forget

    def _begin(self, effect: Effect) -> None:
        name = f"effect {effect.kind}"
        threading.Thread(target=self._work, args=(effect,), name=name, daemon=True).start()

    def _work(self, effect: Effect) -> None:
        if self._desk.is_held(effect):
            self._desk.end(effect, carry_out(self._handlers[effect.kind], effect))
        else:
            self._desk.let_go(effect)
