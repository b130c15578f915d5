"""A plan as SQL. Sees neither request, schema nor identity, and cannot fail on what a user wrote."""

from wherry.rest.plan import DeletePlan, InsertPlan, Plan, ReadRequestPlan, UpdatePlan
from wherry.rest.read_compiler import ReadCompiler
from wherry.rest.write_compiler import PreparedWrite, compile_delete, compile_insert, compile_update
from wherry.statement import ReadTransaction


def compile_plan(plan: Plan) -> ReadTransaction | PreparedWrite:
    """Compile a plan: that a name or a right is missing ended in the planner."""
    match plan:
        case ReadRequestPlan():
            return ReadCompiler().read(plan)
        case InsertPlan():
            return compile_insert(plan)
        case UpdatePlan():
            return compile_update(plan)
        case DeletePlan():
            return compile_delete(plan)
