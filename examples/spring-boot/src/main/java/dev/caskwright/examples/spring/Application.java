package dev.caskwright.examples.spring;

import org.springframework.boot.CommandLineRunner;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.annotation.Bean;

/** Counts how often it was started, and tells. */
@SpringBootApplication
public class Application {
    /** Starts it; settings may be given as {@code --caskwright.directory=...}. */
    public static void main(String[] arguments) {
        SpringApplication.run(Application.class, arguments);
    }

    @Bean
    CommandLineRunner tellStarts(Starts starts) {
        return arguments -> System.out.println("started " + starts.count() + " times");
    }
}
