//! Lays the tokens out as a double-array trie.
//!
//! A node is one little-endian `u64`:
//!
//! | bits  | meaning                                                        |
//! |-------|----------------------------------------------------------------|
//! | 0–8   | the byte that leads here, or 256 where there is no node        |
//! | 9–31  | base: the child for byte `b` is at index `base ^ b`            |
//! | 32–63 | id of the token that ends here, plus one, or 0                 |
//!
//! No two nodes share a base, so the byte alone tells whether a slot belongs to the node that
//! asks. The root is at index 0 and the rest of the first 256 slots stays empty: base 0 is that
//! of a node without children. Nodes that lead to the tokens of the lowest ids, which are the
//! most frequent, are placed first and so lie close together.

use std::{cmp::Reverse, collections::BinaryHeap};

const EMPTY: u64 = 256;

struct Node {
    byte: u8,
    /// The id of the token that ends here plus one, or 0.
    token: u32,
    /// The lowest id plus one of the tokens that end here or further on.
    lowest: u32,
    children: Vec<u32>,
}

pub(crate) fn build(tokens: &[Vec<u8>]) -> Vec<u8> {
    let nodes = grow(tokens);
    let mut slots = vec![EMPTY; 256];
    let mut taken_bases = vec![true; 256];
    let mut first_free = 256;
    // The lowest token, the number and the slot of the nodes whose children have no slot yet.
    let mut queue = BinaryHeap::from([Reverse((0, 0u32, 0usize))]);
    while let Some(Reverse((_, node, slot))) = queue.pop() {
        let node = &nodes[node as usize];
        let bytes: Vec<u8> = node.children.iter().map(|&c| nodes[c as usize].byte).collect();
        let base = if bytes.is_empty() {
            0
        } else {
            while slots.get(first_free).is_some_and(|s| *s != EMPTY) {
                first_free += 1;
            }
            place(&bytes, first_free, &mut slots, &mut taken_bases)
        };
        slots[slot] = slots[slot] & 511 | (base as u64) << 9 | u64::from(node.token) << 32;
        for &child in &node.children {
            let byte = nodes[child as usize].byte;
            let at = base ^ usize::from(byte);
            slots[at] = u64::from(byte);
            queue.push(Reverse((nodes[child as usize].lowest, child, at)));
        }
    }
    assert!(slots.len() < 1 << 23, "a base has 23 bits");
    slots.iter().flat_map(|slot| slot.to_le_bytes()).collect()
}

/// Finds a base no other node has, under which all of `bytes` fall on empty slots.
fn place(bytes: &[u8], from: usize, slots: &mut Vec<u64>, taken: &mut Vec<bool>) -> usize {
    for slot in from.. {
        let base = slot ^ usize::from(bytes[0]);
        let end = (base | 255) + 1;
        if slots.len() < end {
            slots.resize(end, EMPTY);
            taken.resize(end, false);
        }
        let fits = |b: &u8| slots[base ^ usize::from(*b)] == EMPTY;
        if !taken[base] && bytes.iter().all(fits) {
            taken[base] = true;
            return base;
        }
    }
    unreachable!("the array grows until a base is found")
}

fn grow(tokens: &[Vec<u8>]) -> Vec<Node> {
    let mut nodes = vec![Node { byte: 0, token: 0, lowest: 0, children: Vec::new() }];
    for (token, id) in tokens.iter().zip(1u32..) {
        if token.is_empty() {
            continue;
        }
        let mut at = 0;
        for &byte in token {
            let known = nodes[at].children.iter().find(|&&c| nodes[c as usize].byte == byte);
            at = match known {
                Some(&child) => child as usize,
                None => {
                    let child = nodes.len();
                    nodes.push(Node { byte, token: 0, lowest: id, children: Vec::new() });
                    nodes[at].children.push(child as u32);
                    child
                }
            };
        }
        nodes[at].token = id;
    }
    nodes
}
