"""Residents as columns, with the verbs of Mesa's AgentSet."""

from reformsim.residents.population import GroupBy, Resident, Residents

__all__ = ["GroupBy", "Resident", "Residents"]
