"""What the catalogue's commands print: problems with their lines, and a proposal as TOML."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from diag.model.catalogue import SIDES
from diag.model.catalogue_report import CatalogueReport, FileCount, Problem
from diag.model.proposal import Proposal, ProposedKey, ProposedLine, ProposedService
from diag.render.neutral import shorten, to_plain
from diag.render.toml import quote, to_key

_LONGEST = 400
_HEAD = """\
# Proposed by diag catalogue learn from {lines}. Read it before you keep it:
# - give the lines that mark a step their event (docs/catalogue.md lists them), drop what is of no use;
# - the sides are guessed by the services' names; known are
#   {sides};
# - see that nothing that a person said stands here as a message.
"""


def render_report(report: CatalogueReport) -> str:
    """``file:line: what is wrong; what to do``, one line each; without problems, what each file holds."""
    lines = map(describe_problem, report.problems) if report.problems else map(_to_count, report.counts)
    return "".join(f"{line}\n" for line in lines)


def describe_problem(problem: Problem) -> str:
    """One problem in one line: where, what, and what to do."""
    place = f"{problem.file}:{problem.line}" if problem.line else problem.file
    return shorten(to_plain(f"{place}: {problem.text}; {problem.remedy}"), _LONGEST)


def _to_count(count: FileCount) -> str:
    parts = ((count.messages, "message"), (count.patterns, "pattern"), (count.id_keys, "ID key"))
    return to_plain(f"{count.file}: {', '.join(_plural(number, what) for number, what in parts)}")


def _plural(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def render_proposal(proposal: Proposal) -> str:
    """The proposal as a catalogue file; empty where there is nothing to propose."""
    if not proposal.services and not proposal.keys:
        return ""
    blocks = [_HEAD.format(lines=_plural(proposal.lines, "line"), sides=", ".join(SIDES))]
    blocks += ["\n".join(block) for block in (_key_lines(proposal.keys), _form_lines(proposal.keys)) if block]
    blocks += ["\n".join(_service_lines(service)) for service in proposal.services]
    return "\n".join(block.rstrip("\n") + "\n" for block in blocks)


def summarise_proposal(proposal: Proposal) -> str:
    """What was read and what came of it, for the person at the terminal."""
    exact = sum(not line.pattern for service in proposal.services for line in service.lines)
    patterns = sum(bool(line.pattern) for service in proposal.services for line in service.lines)
    left_out = (
        (proposal.unreadable, "not understood"),
        (proposal.unnamed, "without constant words"),
        (proposal.dropped, "of rarer texts left out"),
    )
    read = [_plural(proposal.lines, "line"), f"{proposal.known:,} known already"]
    read += [f"{count:,} {what}" for count, what in left_out if count]
    new = [
        _plural(len(proposal.services), "service"),
        _plural(exact, "message"),
        _plural(patterns, "pattern"),
    ]
    new.append(_plural(sum(bool(key.role) for key in proposal.keys), "ID key"))
    return f"{', '.join(read)}; proposed: {', '.join(new)}"


def _key_lines(keys: Iterable[ProposedKey]) -> list[str]:
    by_role: defaultdict[str, list[ProposedKey]] = defaultdict(list)
    for key in keys:
        by_role[key.role].append(key)
    undecided = by_role.pop("", [])
    lines = ["[ids]"] if by_role else []
    for role in sorted(by_role):
        lines += [f"# {_describe(key)}" for key in by_role[role]]
        lines.append(f"{role} = [{', '.join(quote(key.key) for key in by_role[role])}]")
    if undecided:
        lines.append("# These look like IDs, too. Add one to a role above only if it names one session:")
        lines += [f"#   {_describe(key)}" for key in undecided]
    return lines


def _describe(key: ProposedKey) -> str:
    shared = ", its IDs recur in other services" if key.shared else ""
    services = ", ".join(map(to_plain, key.services))
    return f"{to_plain(key.key)}: {_plural(key.lines, 'line')} of {services}{shared}"


def _form_lines(keys: Iterable[ProposedKey]) -> list[str]:
    forms: defaultdict[str, set[str]] = defaultdict(set)
    for key in keys:
        if key.form:
            forms[key.role].add(key.form)
    rows = [f"{role} = [{', '.join(quote(form) for form in sorted(forms[role]))}]" for role in sorted(forms)]
    return (
        ["[forms]  # how these IDs look; an ID of another form is reported as malformed", *rows]
        if rows
        else []
    )


def _service_lines(service: ProposedService) -> Iterator[str]:
    table = f"services.{to_key(service.name)}"
    if service.side:
        yield f"[{table}]"
        yield f"side = {quote(service.side)}"
        yield ""
    messages = [line for line in service.lines if not line.pattern]
    if messages:
        yield f"[{table}.messages]"
        yield from (
            f"{quote(line.text)} = {_to_row(line)}  # {_plural(line.count, 'line')}" for line in messages
        )
        yield ""
    for line in service.lines:
        if line.pattern:
            yield f"[[{table}.patterns]]  # {_plural(line.count, 'line')}"
            yield f"shown = {quote(line.text)}"
            yield f"pattern = {quote(line.pattern)}"
            yield f"samples = [{quote(line.sample)}]"
            yield f"event = {quote(line.event)}"
            yield ""


def _to_row(line: ProposedLine) -> str:
    parts = [f"event = {quote(line.event)}"]
    if line.attributes:
        pairs = (f"{to_key(key)} = {quote(value)}" for key, value in sorted(line.attributes.items()))
        parts.append(f"attributes = {{ {', '.join(pairs)} }}")
    if line.shows:
        parts.append(f"shows = [{', '.join(map(quote, line.shows))}]")
    return f"{{ {', '.join(parts)} }}"
