//! Turns, taken in the order of coming.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// First come, first served: a mutex alone may give itself to the same thread again and again.
#[derive(Debug, Default)]
pub struct Turns {
    /// The next number to be drawn, and the number whose turn it is.
    numbers: Mutex<(u64, u64)>,
    next: Condvar,
}

impl Turns {
    /// Waits until it is this caller's turn, which lasts as long as the result lives.
    pub fn wait(&self) -> Held<'_> {
        let mut numbers = lock(&self.numbers);
        let mine = numbers.0;
        numbers.0 += 1;
        while numbers.1 != mine {
            numbers = self.next.wait(numbers).unwrap_or_else(PoisonError::into_inner);
        }
        Held(self)
    }
}

/// A turn that is being taken.
pub struct Held<'a>(&'a Turns);

impl Drop for Held<'_> {
    fn drop(&mut self) {
        lock(&self.0.numbers).1 += 1;
        self.0.next.notify_all();
    }
}

/// A panic elsewhere leaves nothing half done here.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;
    use std::time::Duration;

    use super::*;

    #[test]
    fn turns_are_taken_in_the_order_of_coming() {
        let turns = Turns::default();
        let order = Mutex::new(Vec::new());
        let waiting = AtomicUsize::new(0);
        let first = turns.wait();
        thread::scope(|scope| {
            for number in 0..8 {
                let (turns, order, waiting) = (&turns, &order, &waiting);
                scope.spawn(move || {
                    let _turn = turns.wait();
                    lock(order).push(number);
                    waiting.fetch_add(1, Ordering::Relaxed);
                });
                // The next one comes when this one has drawn its number.
                while lock(&turns.numbers).0 < number + 2 {
                    thread::sleep(Duration::from_millis(1));
                }
            }
            assert_eq!(waiting.load(Ordering::Relaxed), 0, "the first still has its turn");
            drop(first);
        });
        assert_eq!(*lock(&order), [0, 1, 2, 3, 4, 5, 6, 7]);
    }
}
