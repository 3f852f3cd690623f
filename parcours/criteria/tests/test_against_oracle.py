"""Compiled SQL on the real store, and the Python evaluation, against an oracle written from the fine print."""

from __future__ import annotations

import contextlib
import functools
import itertools
from collections.abc import Iterator
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from parcours.criteria import compile, members, store
from parcours.criteria.batch import Case, evaluate_batch, evaluate_each
from parcours.criteria.context import Context
from parcours.criteria.evaluate import At, Run, Store, did, evaluate
from parcours.criteria.few import meeting
from parcours.criteria.nodes import Did, InSegment, Node
from parcours.criteria.parse import parse
from parcours.criteria.tests import oracle, worlds
from parcours.criteria.tests.worlds import DATES, DAY, HOUR, NOW, NUMBERS, RUN, TEXTS
from parcours.criteria.whose import some
from parcours.events.entries import Event
from parcours.lib.problems import Invalid

DURATIONS = ["0s", "1s", "60m", "1d", "2d", "2w", "90d", "999999999w"]
ACCOUNTS = itertools.count(1000)
texts, numbers, dates = st.sampled_from(TEXTS), st.sampled_from(NUMBERS), st.sampled_from(DATES)
scalars = st.one_of(texts, numbers, st.booleans())


def _pair(values: st.SearchStrategy[Any], key: Any = None) -> st.SearchStrategy[list[Any]]:
    return st.lists(values, min_size=2, max_size=2).map(lambda pair: sorted(pair, key=key))


def _tests(values: st.SearchStrategy[Any], kinds: str) -> st.SearchStrategy[dict[str, Any]]:
    """Operators with fitting values: e equality, t text, n numbers, d dates, p presence."""
    found: list[st.SearchStrategy[dict[str, Any]]] = []

    def add(ops: list[str], value: st.SearchStrategy[Any]) -> None:
        found.append(st.fixed_dictionaries({"op": st.sampled_from(ops), "value": value}))

    if "e" in kinds:
        add(["eq", "ne"], values)
        add(["in", "not_in"], st.lists(values, max_size=3))
    if "t" in kinds:
        parts = st.one_of(texts, st.sampled_from(["é", "e", "S", "i", "0", "", "\u0307", "ß"]))
        add(["contains", "not_contains", "starts_with", "ends_with"], parts)
    if "n" in kinds:
        add(["gt", "gte", "lt", "lte"], numbers)
        add(["between"], _pair(numbers))
    if "d" in kinds:
        add(["gt", "gte", "lt", "lte", "before", "after"], dates)
        add(["between"], st.just(["1950-05-01", "2026-11-22T12:00:00Z"]))
        add(["before", "after", "within_last", "not_within_last", "within_next"], st.sampled_from(DURATIONS))
    if "p" in kinds:
        found.append(st.fixed_dictionaries({"op": st.sampled_from(["exists", "missing"])}))
    return st.one_of(found)


def _with(
    key: str, names: list[str], tests: st.SearchStrategy[dict[str, Any]]
) -> st.SearchStrategy[dict[str, Any]]:
    return st.builds(lambda name, test: {key: name, **test}, st.sampled_from(names), tests)


fields = st.one_of(
    _with("field", ["email", "first_name", "city", "country"], _tests(texts, "etp")),
    _with("field", ["id", "external_id", "attributes.plan", "attributes.colors"], _tests(scalars, "etndp")),
    _with("field", ["attributes.age"], _tests(st.one_of(numbers, st.just("10")), "enp")),
    _with("field", ["attributes.vip"], _tests(st.booleans(), "ep")),
    _with("field", ["created_at", "last_seen_at", "attributes.birthday"], _tests(dates, "edp")),
)
states = st.one_of(
    st.fixed_dictionaries(
        {
            "consent": st.sampled_from(worlds.CHANNELS),
            "op": st.sampled_from(["eq", "ne"]),
            "value": st.sampled_from(worlds.CONSENTS),
        }
    ),
    st.fixed_dictionaries(
        {"tag": st.sampled_from(["vip", "É", "none"]), "op": st.sampled_from(["has", "has_not"])}
    ),
    st.fixed_dictionaries(
        {"list": st.sampled_from([1, "2"]), "op": st.sampled_from(["member", "not_member"])}
    ),
    st.fixed_dictionaries(
        {"segment": st.sampled_from([900, "901"]), "op": st.sampled_from(["member", "not_member"])}
    ),
)
PROPERTIES = [
    "label", "total", "cart.due", "cart.size", "products.sku", "products.price", "sizes", "step", "message", "email_id",
    "send", "order", "machine", "journey", "deal", "absent",
]  # fmt: skip
conditions = _with("property", PROPERTIES, _tests(scalars, "etndp"))
run_conditions = st.one_of(
    conditions,
    _with(
        "property",
        ["label", "order"],
        st.fixed_dictionaries(
            {"op": st.sampled_from(["eq", "ne", "contains"]), "value": st.just({"run": "key"})}
        ),
    ),
)
windows = st.one_of(
    st.fixed_dictionaries({"last": st.sampled_from(DURATIONS)}),
    st.fixed_dictionaries({"from": dates}),
    st.fixed_dictionaries({"to": dates}),
    st.just({"from": "2026-10-25T02:30", "to": "2026-11-21"}),
)
amounts = _with(
    "property", ["total", "cart.size", "products.price", "sizes", "message"], _tests(numbers, "enp")
)
counts = st.one_of(
    st.fixed_dictionaries(
        {"op": st.sampled_from(["eq", "ne", "gt", "gte", "lt", "lte"]), "value": st.integers(0, 3)}
    ),
    st.fixed_dictionaries({"op": st.sampled_from(["in", "not_in", "between"]), "value": st.just([1, 2])}),
)


def _events(
    where: st.SearchStrategy[dict[str, Any]], more: dict[str, Any]
) -> st.SearchStrategy[dict[str, Any]]:
    plain = st.fixed_dictionaries(
        {"event": st.sampled_from([*worlds.EVENTS, "*"])},
        optional={"where": st.lists(where, max_size=2), "window": windows, "count": counts, **more},
    )
    kinds = st.sampled_from(["sum", "min", "max", "avg"])
    return st.one_of(plain, st.builds(lambda leaf, kind, one: {**leaf, kind: one}, plain, kinds, amounts))


def _criteria(events: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.recursive(
        st.one_of(fields, states, events, events),
        lambda inner: st.one_of(
            st.fixed_dictionaries({"all": st.lists(inner, max_size=3)}),
            st.fixed_dictionaries({"any": st.lists(inner, max_size=3)}),
            st.fixed_dictionaries({"not": inner}),
        ),
        max_leaves=4,
    )


whole = st.lists(_criteria(_events(conditions, {})), min_size=10, max_size=10)
in_runs = st.lists(_criteria(_events(run_conditions, {"scope": st.just("run")})), min_size=10, max_size=10)
quick = settings(
    max_examples=25,
    deadline=None,
    phases=[Phase.generate],
    derandomize=True,
    suppress_health_check=[*HealthCheck],
    database=None,
)


def _parsed(document: dict[str, Any], context: Context) -> Node:
    try:
        return parse(document, context=context)
    except Invalid as refusal:
        raise AssertionError(f"{document} refused: {refusal.errors}") from refusal


def _ask(leaf: Store, *, events: list[Event], at: At, frozen: dict[int, set[int]], number: int) -> bool:
    if isinstance(leaf, Did):
        return did(leaf, events, at)
    assert isinstance(leaf, InSegment)
    return (number in frozen[leaf.segment]) != leaf.negated


@contextlib.contextmanager
def _few(most: int) -> Iterator[None]:
    """So many contacts or rows are bound as values; more go as tables."""
    before, compile.FEW = compile.FEW, most
    try:
        yield
    finally:
        compile.FEW = before


ways = st.sampled_from([0, compile.FEW])
FEW_ASKED = [1, 3, 5, 7, 999]


@quick
@given(seed=st.integers(0, 2**32), documents=whole, few=ways)
def test_whole_accounts(store_process: Any, seed: int, documents: list[dict[str, Any]], few: int) -> None:
    world = worlds.draw(seed)
    account = next(ACCOUNTS)
    worlds.put(world, account=account)
    context = Context(resolver=worlds.Account(world), timezone=world.zone)
    scope = compile.Scope(account, 1, NOW, world.zone)
    own = {
        number: [worlds.entry(one, number) for one in oracle.events_of(number, world)]
        for number in world.contacts
    }
    parsed = [_parsed(document, context) for document in documents]
    many = members.WORD // len(parsed) + 1
    together: dict[int, int] = {
        contact: met0 | met1 << members.WORD
        for contact, met0, met1 in store.run(members.members_of(parsed * many, scope))
    }
    # Every third of the criteria is asked of one contact less.
    wanted = [FEW_ASKED[place % 3 == 0 :] for place in range(len(parsed))]
    with _few(few):
        few_found = meeting(parsed, scope, wanted)
    assert few_found is not None
    for place, (document, node) in enumerate(zip(documents, parsed, strict=True)):
        expected = {
            number for number in world.contacts if oracle.meets(document, oracle.Case(number, NOW), world)
        }
        found = [row[0] for row in store.run(members.members(node, scope))]
        assert sorted(found) == sorted(expected), document
        for bit in (place, place + len(documents) * (many - 1)):
            assert {one for one, met in together.items() if met >> bit & 1} == expected, document
        if place % 3 == 0:
            with _few(few):
                asked = members.members(node, scope, among=some(scope, FEW_ASKED))
            assert {row[0] for row in store.run(asked)} == expected & {*FEW_ASKED}, document
        assert few_found[place] == expected & {*wanted[place]}, document
        at = At(NOW, world.zone)
        for number, contact in world.contacts.items():
            ask = functools.partial(_ask, events=own[number], at=at, frozen=world.frozen, number=number)
            assert evaluate(node, worlds.snapshot(number, contact), at, ask) == (number in expected), document


@quick
@given(seed=st.integers(0, 2**32), documents=in_runs, few=ways)
def test_batches_at_their_own_instants(
    store_process: Any, seed: int, documents: list[dict[str, Any]], few: int
) -> None:
    world = worlds.draw(seed)
    account = next(ACCOUNTS)
    worlds.put(world, account=account)
    context = Context(resolver=worlds.Account(world), timezone=world.zone, in_run=True)
    looked_at = []
    for place, number in enumerate([*world.contacts, 1, 2, 3]):
        now = NOW - (0, DAY, 40 * DAY, HOUR, -DAY)[place % 5]
        entered, enrolment, key = RUN
        run = (entered - place * DAY, enrolment + place % 2, key if place % 3 else "")
        looked_at.append(oracle.Case(number, now, run))
    cases = [
        Case(
            place,
            one.contact,
            one.now,
            worlds.snapshot(one.contact, world.contacts[one.contact]),
            Run(*one.run),
        )
        for place, one in enumerate(looked_at)
        if one.run
    ]
    nodes = [_parsed(document, context) for document in documents]
    with _few(few):
        together = evaluate_each(nodes, cases, account=account, load=1, zone=world.zone)
    for document, found in zip(documents, together, strict=True):
        expected = {place for place, one in enumerate(looked_at) if oracle.meets(document, one, world)}
        assert found == expected, document
    alone = evaluate_batch(nodes[0], cases, account=account, load=1, zone=world.zone)
    assert alone == together[0]
