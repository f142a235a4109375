//! Fair shares: who of a pool is next, so that everybody's part stays within one lead of the share, at any moment and
//! not merely in the long run.
//!
//! Each member has a balance: the leads that the rep is owed. A decision credits every eligible member with
//! λᵢ = weightᵢ ÷ Σ weights of the eligible, and debits the chosen one by 1, so the balances of a pool always add up
//! to zero, and a balance *is* the difference between share and actual.
//!
//! # Who is chosen
//!
//! This is the chairman assignment problem, in the solution of R. Tijdeman ("The chairman assignment problem", Discrete
//! Mathematics 32, 1980, 323–330). With k ≥ 2 eligible members, θ = 1 ÷ (2k − 2), and σᵢ the balance after the credit:
//!
//! 1. only members with σᵢ ≥ θ may be chosen: the debit then leaves them at θ − 1 or above;
//! 2. among them, the one whose deadline comes first. The deadline is when the balance would pass 1 − θ if the member
//!    were never chosen: (1 − θ − σᵢ) ÷ λᵢ decisions from now.
//!
//! Equal deadlines go by name.
//!
//! # What is guaranteed
//!
//! **While members and weights stay as they are**: |balance| ≤ 1 − θ = 1 − 1 ÷ (2k − 2) < 1 after every decision. That
//! is Tijdeman's theorem, which also shows that the bound is the best possible.
//!
//! **While eligibility and weights change at will** (capacity, leave, members who come and go), the theorem has nothing
//! to say, and a member may be past the deadline, or nobody may reach θ. In both cases the greatest balance is chosen;
//! with a fixed pool neither happens to more than one member, so this takes nothing from the theorem. Then
//!
//! > |balance| ≤ n − 3/2 for n ≥ 2 reps who have ever been members.
//!
//! *Proof.* Let c = 2 − 1/(n − 1). We show that every m members together have at most B(m) = c·m·(n − m)/2; m = 1 is the
//! claim from above, and m = n − 1 with a sum of zero is the claim from below. It holds at the beginning. Let a decision
//! choose j, let bᵢ be the balances after it, and let T be m members.
//! If j ∈ T or nobody of T was eligible, then the sum over T has not grown.
//! Otherwise take an eligible i ∈ T. By the choice σᵢ − σⱼ ≤ c − 1: it is at most 0 where the greatest balance was
//! chosen, and otherwise θ ≤ σⱼ and σᵢ ≤ 1 − θ with θ ≥ 1/(2n − 2). So bᵢ − bⱼ = σᵢ − σⱼ + 1 ≤ c, and
//! 2·b(T) = b(T ∪ j) + b(T ∖ i) + bᵢ − bⱼ ≤ B(m + 1) + B(m − 1) + c = 2·B(m), where T ∪ j contains j, and T ∖ i has
//! one eligible member less, on which we induct. ∎
//!
//! (The argument is that of the carpool problem; see Coppersmith, Nowicki, Paleologo, Tresser, Wu, "The optimality of
//! the online greedy algorithm in carpool and chairman assignment problems", ACM Transactions on Algorithms 7, 2011.)
//!
//! # Why balances are never reset
//!
//! The proof needs that the balances add up to zero and that nobody's is forgotten. A reset at each change of the pool
//! would forgive up to a lead each time, always to the same side when the same rep keeps coming back from full: the
//! difference between share and actual would grow without bound. A rep who leaves keeps the balance for the return.

/// A member who may be chosen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Member<'a> {
    /// The rep's name.
    pub name: &'a str,
    /// Above zero.
    pub weight: i32,
    /// Leads that the rep is owed.
    pub balance: f64,
}

/// What a decision means to one member.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Share {
    /// λ: the credit.
    pub share: f64,
    /// The balance after credit and debit.
    pub balance: f64,
}

/// Who is next.
#[derive(Clone, Debug, PartialEq)]
pub struct Turn {
    /// The place of the chosen one in the list of members.
    pub chosen: usize,
    /// One for each member, in their order.
    pub shares: Vec<Share>,
}

/// Decides who of the eligible members is next; nobody when there are none.
pub fn next(eligible: &[Member<'_>]) -> Option<Turn> {
    let total: f64 = eligible.iter().map(|member| f64::from(member.weight)).sum();
    let mut shares: Vec<_> = eligible
        .iter()
        .map(|member| {
            let share = f64::from(member.weight) / total;
            Share { share, balance: member.balance + share }
        })
        .collect();
    let mut by_name: Vec<usize> = (0..eligible.len()).collect();
    by_name.sort_unstable_by_key(|&place| eligible[place].name);
    let chosen = choose(&by_name, &shares)?;
    shares[chosen].balance -= 1.0;
    Some(Turn { chosen, shares })
}

/// The place of the chosen one; of equals, the first in `order`.
fn choose(order: &[usize], credited: &[Share]) -> Option<usize> {
    let theta = match order.len() {
        0 | 1 => return order.first().copied(),
        count => 1.0 / (2 * count - 2) as f64,
    };
    let limit = 1.0 - theta;
    let owed = |place: usize| blur(credited[place].balance);
    let deadline = |place: usize| blur((limit - credited[place].balance) / credited[place].share);
    let most_owed = order.iter().copied().min_by(|&a, &b| owed(b).total_cmp(&owed(a)))?;
    if owed(most_owed) > blur(limit) {
        return Some(most_owed);
    }
    let due = order.iter().copied().filter(|&place| owed(place) >= blur(theta));
    due.min_by(|&a, &b| deadline(a).total_cmp(&deadline(b))).or(Some(most_owed))
}

/// In billionths: sums of thirds that are equal on paper shall be equal here, and go by name.
fn blur(leads: f64) -> f64 {
    (leads * 1e9).round()
}

#[cfg(test)]
#[path = "fair_share_tests.rs"]
mod tests;
